//! HTML as text to be read: tags off, entities decoded; paragraphs, headings, lists and tables as they are meant. No
//! page and no browser: what a script prints for people. One pass, no recursion, whatever the text is.

use unicode_width::UnicodeWidthStr as _;

use super::clean;

/// Lines at most, and cells of a table.
const LINES: usize = 100_000;
const CELLS: usize = 100_000;
/// Columns of a table, and cells on the screen of one of them.
const COLUMNS: usize = 100;
const WIDE: usize = 60;
/// Lists within lists.
const DEPTH: usize = 20;

/// Elements that begin a line of their own, with a blank one before.
const PARTS: [&str; 10] = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "figure", "dl"];
/// Elements that begin a line of their own.
const BLOCKS: [&str; 22] = [
    "address",
    "article",
    "aside",
    "body",
    "caption",
    "dd",
    "details",
    "div",
    "dt",
    "fieldset",
    "figcaption",
    "footer",
    "form",
    "header",
    "html",
    "legend",
    "main",
    "nav",
    "option",
    "section",
    "summary",
    "title",
];
/// Elements whose text is not for people.
const UNREAD: [&str; 5] = ["script", "style", "template", "noscript", "svg"];

/// The lines to be read, and whether there were more.
pub fn read(html: &str) -> (Vec<String>, bool) {
    let mut page = Page::default();
    let mut rest = html;
    while !rest.is_empty() && !page.full() {
        let Some(at) = rest.find('<') else {
            page.text(rest);
            break;
        };
        page.text(&rest[..at]);
        rest = tag(&rest[at..], &mut page);
    }
    let cut = page.full();
    page.end_table();
    page.line_end();
    while page.lines.last().is_some_and(String::is_empty) {
        page.lines.pop();
    }
    (page.lines, cut)
}

/// Past what begins with `<`; a sign that begins no tag is text.
fn tag<'a>(rest: &'a str, page: &mut Page) -> &'a str {
    for (begin, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">")] {
        if rest.starts_with(begin) {
            return rest.find(end).map_or("", |at| &rest[at + end.len()..]);
        }
    }
    let inside = rest[1..].strip_prefix('/').unwrap_or(&rest[1..]);
    if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
        page.text("<");
        return &rest[1..];
    }
    let closes = rest[1..].starts_with('/');
    let length = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(inside.len());
    let name = inside[..length.min(32)].to_ascii_lowercase();
    let end = end_of_tag(rest);
    let attributes = &rest[..end];
    let after = rest.get(end + 1..).unwrap_or("");
    if !closes && UNREAD.contains(&name.as_str()) && !attributes.ends_with('/') {
        return past(after, &name);
    }
    match closes {
        true => page.close(&name),
        false => page.open(&name, attributes),
    }
    after
}

/// Where the `>` of a tag is, quoted ones passed over.
fn end_of_tag(rest: &str) -> usize {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (c, quote) {
            ('>', None) => return at,
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    // a quote that is never closed is none
    rest.find('>').unwrap_or(rest.len())
}

/// Past the end tag of an element whose text is not read.
fn past<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = rest[from..].find("</") {
        let place = from + at + 2;
        let found = rest.get(place..place + name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name));
        if found {
            return rest[place..].find('>').map_or("", |end| &rest[place + end + 1..]);
        }
        from = place;
    }
    ""
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let at = lower.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = lower[..*at].chars().next_back().is_some_and(|c| c.is_whitespace() || c == '"' || c == '\'');
        before && lower[at + name.len()..].trim_start().starts_with('=')
    })?;
    let value = tag[at + name.len()..].trim_start().trim_start_matches('=').trim_start();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
        _ => value.split([' ', '\t', '\n', '>']).next().unwrap_or_default(),
    };
    Some(decoded(value))
}

#[derive(Default)]
struct Page {
    lines: Vec<String>,
    line: String,
    /// A blank stands before the next word.
    gap: bool,
    /// Line ends and blanks count.
    pre: usize,
    /// Of each list that is open: the number of its next item; `None`: not numbered.
    lists: Vec<Option<u32>>,
    /// The sign of an item, until its first word.
    sign: Option<String>,
    table: Option<Rows>,
    /// Of tables in tables only the outermost is laid out.
    tables: usize,
    link: Option<(String, usize)>,
    cells: usize,
}

#[derive(Default)]
struct Rows {
    rows: Vec<Vec<String>>,
    /// The first row names the columns.
    head: bool,
    /// A cell is being read.
    open: bool,
}

impl Page {
    fn full(&self) -> bool {
        self.lines.len() >= LINES || self.cells >= CELLS
    }

    fn text(&mut self, text: &str) {
        let text = decoded(text);
        if self.pre > 0 && !self.in_cell() {
            for (n, piece) in text.split('\n').enumerate() {
                if n > 0 {
                    self.push_line();
                }
                self.begin();
                self.line.push_str(&clean::line(&piece.replace('\t', "    ")));
            }
            return;
        }
        for (n, word) in text.split(|c: char| c.is_whitespace() && c != '\u{a0}').enumerate() {
            self.gap |= n > 0;
            let word: String = clean::line(&word.replace('\u{a0}', " "));
            if word.is_empty() {
                continue;
            }
            self.begin();
            let gap = std::mem::take(&mut self.gap);
            let line = match self.cell() {
                Some(cell) => cell,
                None => &mut self.line,
            };
            if gap && !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }

    fn in_cell(&self) -> bool {
        self.table.as_ref().is_some_and(|table| table.open)
    }

    fn cell(&mut self) -> Option<&mut String> {
        self.table.as_mut().filter(|table| table.open)?.rows.last_mut()?.last_mut()
    }

    /// Before the first word of a line: how far it stands to the right, and the sign of its item.
    fn begin(&mut self) {
        if self.line.is_empty() && !self.in_cell() {
            let depth = self.lists.len();
            match self.sign.take() {
                Some(sign) => {
                    self.line.push_str(&"  ".repeat(depth.saturating_sub(1)));
                    self.line.push_str(&sign);
                }
                None => self.line.push_str(&"  ".repeat(depth)),
            }
            self.gap = false;
        }
    }

    /// The line is done, if there is anything in it.
    fn line_end(&mut self) {
        if self.in_cell() {
            self.gap = true;
        } else if !self.line.trim().is_empty() {
            self.push_line();
        } else {
            self.line.clear();
        }
    }

    fn push_line(&mut self) {
        self.lines.push(std::mem::take(&mut self.line).trim_end().to_owned());
        self.gap = false;
    }

    fn blank(&mut self) {
        self.line_end();
        if !self.in_cell() && self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    fn open(&mut self, name: &str, tag: &str) {
        match name {
            "br" => {
                if self.in_cell() {
                    self.gap = true;
                } else {
                    self.push_line();
                }
            }
            "hr" => {
                self.line_end();
                self.lines.push("-".repeat(20));
            }
            "pre" => {
                self.blank();
                self.pre += 1;
            }
            "ul" | "ol" | "menu" => {
                if self.lists.is_empty() {
                    self.blank();
                }
                self.line_end();
                if self.lists.len() < DEPTH {
                    self.lists.push((name == "ol").then_some(1));
                }
            }
            "li" => {
                self.line_end();
                self.sign = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                });
            }
            "table" => {
                self.tables += 1;
                if self.tables == 1 {
                    self.blank();
                    self.table = Some(Rows::default());
                }
            }
            "tr" | "td" | "th" if self.tables == 1 => self.table_part(name),
            "a" => self.link = attribute(tag, "href").map(|href| (href, self.here())),
            "img" => {
                if let Some(alt) = attribute(tag, "alt").filter(|alt| !alt.trim().is_empty()) {
                    self.gap = true;
                    self.text(&format!("[{alt}]"));
                }
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.blank();
                let level = name[1..].parse().unwrap_or(1);
                if !self.in_cell() {
                    self.sign = Some(format!("{} ", "#".repeat(level)));
                }
            }
            _ if PARTS.contains(&name) => self.blank(),
            _ if BLOCKS.contains(&name) => self.line_end(),
            _ => {}
        }
    }

    fn table_part(&mut self, name: &str) {
        let Some(table) = &mut self.table else { return };
        table.open = false;
        if name == "tr" {
            table.rows.push(Vec::new());
            return;
        }
        if table.rows.is_empty() {
            table.rows.push(Vec::new());
        }
        table.head |= name == "th" && table.rows.len() == 1;
        self.cells += 1;
        if let Some(row) = table.rows.last_mut()
            && row.len() < COLUMNS
        {
            row.push(String::new());
            table.open = true;
        }
        self.gap = false;
    }

    fn close(&mut self, name: &str) {
        match name {
            "pre" => {
                self.line_end();
                self.pre = self.pre.saturating_sub(1);
                self.blank();
            }
            "ul" | "ol" | "menu" => {
                self.line_end();
                self.sign = None;
                self.lists.pop();
                if self.lists.is_empty() {
                    self.blank();
                }
            }
            "td" | "th" if self.tables == 1 => {
                if let Some(table) = &mut self.table {
                    table.open = false;
                }
            }
            "table" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    self.end_table();
                }
            }
            "a" => {
                if let Some((href, from)) = self.link.take()
                    && ["http://", "https://", "mailto:"].iter().any(|scheme| href.starts_with(scheme))
                    && self.here() > from
                    && !self.ends_with(&href)
                {
                    self.gap = true;
                    self.text(&format!("({href})"));
                }
            }
            _ if PARTS.contains(&name) => self.blank(),
            "li" | "tr" => self.line_end(),
            _ if BLOCKS.contains(&name) => self.line_end(),
            _ => {}
        }
    }

    /// How far the text that is being written has come.
    fn here(&mut self) -> usize {
        match self.cell() {
            Some(cell) => cell.len(),
            None => self.line.len(),
        }
    }

    fn ends_with(&mut self, text: &str) -> bool {
        match self.cell() {
            Some(cell) => cell.ends_with(text),
            None => self.line.ends_with(text),
        }
    }

    /// The table as columns of text.
    fn end_table(&mut self) {
        let Some(table) = self.table.take() else { return };
        let rows: Vec<Vec<String>> = table.rows.into_iter().filter(|row| !row.is_empty()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &Vec<String>, at: usize| row.get(at).map_or(0, |cell| cell.width());
        let widths: Vec<usize> =
            (0..columns).map(|at| rows.iter().map(|row| cell(row, at)).max().unwrap_or(0).min(WIDE)).collect();
        for (n, row) in rows.iter().enumerate() {
            let mut line = String::new();
            for (at, (text, width)) in row.iter().zip(&widths).enumerate() {
                if at > 0 {
                    line.push_str("  ");
                }
                line.push_str(text);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(text.width())));
            }
            self.lines.push(line.trim_end().to_owned());
            if n == 0 && table.head {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat((*width).max(1))).collect();
                self.lines.push(rule.join("  "));
            }
        }
        if !rows.is_empty() {
            self.lines.push(String::new());
        }
        self.gap = false;
    }
}

/// Entities of a text: by name the common ones, by number all.
fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        match end.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            Some((c, end)) => {
                decoded.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return code.ok().and_then(char::from_u32);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "copy" => '©',
        "reg" => '®',
        "deg" => '°',
        "euro" => '€',
        "pound" => '£',
        "micro" => 'µ',
        "middot" => '·',
        "bull" => '•',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "times" => '×',
        "rarr" => '→',
        "larr" => '←',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(html: &str) -> Vec<String> {
        read(html).0
    }

    #[test]
    fn paragraphs_headings_and_entities() {
        let html = "<html><head><title>Report</title><style>p { color: red }</style></head><body>\n<h1>Disks</h1>\n<p>One is\n <b>nearly</b> full:&nbsp;91&nbsp;% &lt;&#x41;&gt;<br>see <a href=\"https://wiki/rb\">the wiki</a>.</p><script>alert('x')</script><p>Done &amp; dusted</p>";
        let expected = [
            "Report",
            "",
            "# Disks",
            "",
            "One is nearly full: 91 % <A>",
            "see the wiki (https://wiki/rb).",
            "",
            "Done & dusted",
        ];
        assert_eq!(lines(html), expected);
    }

    #[test]
    fn lists_within_lists() {
        let html = "<ul><li>one<ul><li>inner</li></ul></li><li>two</ul><ol><li>a<li>b</ol>";
        assert_eq!(lines(html), ["- one", "  - inner", "- two", "", "1. a", "2. b"]);
    }

    #[test]
    fn tables_stand_in_columns() {
        let html = "<table><tr><th>host</th><th>free</th></tr><tr><td>web001</td><td>9 GiB</td></tr><tr><td>db<td>1 <i>TiB</i></tr></table>end";
        assert_eq!(lines(html), ["host    free", "------  -----", "web001  9 GiB", "db      1 TiB", "", "end"]);
    }

    #[test]
    fn what_is_written_out_stays_so() {
        assert_eq!(lines("<pre>a  b\n\tc</pre>x"), ["a  b", "    c", "", "x"]);
        assert_eq!(lines("if a < b && c > d"), ["if a < b && c > d"]);
        assert_eq!(lines("<!-- no --><p>x<img src=y alt='a chart'>"), ["x [a chart]"]);
    }

    #[test]
    fn nothing_hostile_comes_through() {
        assert_eq!(lines("<p>&#27;[31mred\u{1b}]0;x\u{7}&#8238;"), ["[31mred]0;x"]);
        assert_eq!(lines("<a href='javascript:x'>y</a>"), ["y"]);
        assert_eq!(lines("<script>never closed"), [""; 0]);
        assert_eq!(lines("<p title=\"a>b\">x"), ["x"]);
        let deep = "<ul>".repeat(5000) + "<li>x";
        assert!(lines(&deep)[0].len() < 100);
        assert!(read(&"<p>x".repeat(LINES)).1);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(pieces in proptest::collection::vec(
            proptest::prop_oneof![
                "[a-z &;#x1\u{1b}\u{202e}é\"'<>/!=-]{0,8}",
                proptest::sample::select(vec!["<ul>", "</ul>", "<li>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<pre>", "</pre>", "<a href=x>", "</a>", "<!--", "-->", "<script>", "</script>", "&#27;", "&amp;", "<h1>", "<br>"]).prop_map(str::to_owned),
            ], 0..40)) {
            let html = pieces.concat();
            for line in lines(&html) {
                proptest::prop_assert!(!line.chars().any(clean::unseen), "{line:?}");
                proptest::prop_assert!(line.len() < 4000 + html.len() * 4);
            }
        }
    }

    use proptest::strategy::Strategy as _;
}
