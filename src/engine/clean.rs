//! What a device said, as text alone: nothing in it drives a terminal or turns the direction of a row.

/// Escape sequences dropped, other control characters as blanks, at most `give` characters.
pub fn clean(line: &[u8], give: usize) -> String {
    let text = String::from_utf8_lossy(line);
    let mut clean = String::with_capacity(text.len().min(give));
    let mut characters = text.chars().peekable();
    let mut count = 0;
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            // CSI: up to its final byte; anything else: the one character behind
            if characters.next_if_eq(&'[').is_some() {
                while characters.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            } else {
                characters.next();
            }
            continue;
        }
        if count == give {
            break;
        }
        // marks that turn the direction of text would turn the row it is shown in
        if matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            continue;
        }
        count += 1;
        clean.push(if character.is_control() { ' ' } else { character });
    }
    let trimmed = clean.trim();
    if trimmed.len() == clean.len() { clean } else { trimmed.to_owned() }
}
