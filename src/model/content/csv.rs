//! CSV as a table: commas, semicolons or tabs, quotes as RFC 4180 has them, lines that are longer or shorter than the
//! first. Bounded in rows, columns and the length of a cell.

use super::clean;

const ROWS: usize = 50_000;
const COLUMNS: usize = 500;
/// Characters of a cell.
const CELL: usize = 1_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The first is the header.
    pub rows: Vec<Vec<String>>,
    pub columns: usize,
    /// There were more rows, or more columns.
    pub cut: bool,
}

/// Reads a text; whatever it is, it is some table.
pub fn read(text: &str, separator: char) -> Table {
    let mut table = Table::default();
    let text = text.trim_start_matches('\u{feff}');
    let (mut row, mut cell) = (Vec::new(), String::new());
    let (mut length, mut quoted, mut begun) = (0, false, false);
    let mut chars = text.chars().peekable();
    let end_cell = |row: &mut Vec<String>, cell: &mut String, cut: &mut bool| {
        if row.len() < COLUMNS {
            row.push(clean::line(&std::mem::take(cell)));
        } else {
            cell.clear();
            *cut = true;
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if !begun => (quoted, begun) = (true, true),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                let blank = row.is_empty() && !begun;
                end_cell(&mut row, &mut cell, &mut table.cut);
                (length, begun) = (0, false);
                let done = std::mem::take(&mut row);
                if !blank {
                    table.rows.push(done);
                }
                if table.rows.len() == ROWS {
                    table.cut |= chars.peek().is_some();
                    break;
                }
            }
            c if c == separator && !quoted => {
                end_cell(&mut row, &mut cell, &mut table.cut);
                (length, begun) = (0, false);
            }
            c => {
                begun = true;
                length += 1;
                match length {
                    _ if length <= CELL => cell.push(if c == '\n' || c == '\r' { ' ' } else { c }),
                    _ if length == CELL + 1 => cell.push('…'),
                    _ => {}
                }
            }
        }
    }
    if begun || !row.is_empty() {
        end_cell(&mut row, &mut cell, &mut table.cut);
        table.rows.push(row);
    }
    table.columns = table.rows.iter().map(Vec::len).max().unwrap_or(0);
    table
}

/// By what its cells are parted, if its first lines have as many of them, and more than one.
pub fn separator(text: &str) -> Option<char> {
    let columns = |separator: char| {
        let table = read(&text.lines().take(8).collect::<Vec<_>>().join("\n"), separator);
        let first = table.rows.first().map_or(0, Vec::len);
        let even = table.rows.len() > 1 && table.rows.iter().all(|row| row.len() == first);
        (even && first > 1).then_some(first)
    };
    let found = [',', ';', '\t'].into_iter().filter_map(|separator| Some((columns(separator)?, separator)));
    found.max_by_key(|(columns, _)| *columns).map(|(_, separator)| separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        read(text, separator(text).unwrap_or(',')).rows
    }

    #[test]
    fn quotes_line_ends_and_separators() {
        assert_eq!(rows("a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\n"), [["a", "b"], ["x, y", "say \"hi\""]]);
        assert_eq!(rows("a;b\n1,5;2\n"), [["a", "b"], ["1,5", "2"]]);
        assert_eq!(rows("a\tb\n\n1\t\n"), [["a", "b"], ["1", ""]]);
        assert_eq!(rows("a,b\n\"two\nlines\",2"), [["a", "b"], ["two lines", "2"]]);
        assert_eq!(separator("one line, with a comma\nand another\n"), None);
        assert_eq!(separator("only,one,line"), None);
    }

    #[test]
    fn rows_need_not_be_even_and_nothing_grows_without_end() {
        let table = read("a,b\n1\n1,2,3\n", ',');
        assert_eq!((table.columns, table.rows.len(), table.cut), (3, 3, false));
        assert!(read(&"x\n".repeat(2 * ROWS), ',').cut);
        assert!(read(&",".repeat(2 * COLUMNS), ',').cut);
        assert_eq!(read(&"x".repeat(9 * CELL), ',').rows[0][0].chars().count(), CELL + 1);
        assert_eq!(read("a\u{1b}[31m,\u{202e}b\n", ',').rows[0], ["a[31m", "b"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "[a\",;\\t\\n\\r\u{1b}é]{0,60}") {
            for separator in [',', ';', '\t'] {
                for cell in read(&text, separator).rows.iter().flatten() {
                    proptest::prop_assert!(!cell.chars().any(char::is_control), "{cell:?}");
                }
            }
        }
    }
}
