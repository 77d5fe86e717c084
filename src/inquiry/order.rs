//! The order by which inquiries run, word for word: what pages show, and what reports name.

/// The special order as it was released to the public, with what its publisher redacted; the text
/// that ships with this software.
pub const SPECIAL_ORDER: &str = include_str!("special-order-5-27.txt");
/// Its name and day.
pub const SPECIAL_ORDER_VERSION: &str = "SO 5-27, Section V, of 2016-04-19";

/// The NOTE that stands on every array: the order's own paragraph (SO-C4).
pub const NOTE: &str = paragraph(SPECIAL_ORDER, "NOTE: ");

/// The first paragraph of a text, one line, that begins with these words.
const fn paragraph(text: &'static str, begin: &str) -> &'static str {
    let (bytes, begin) = (text.as_bytes(), begin.as_bytes());
    let mut line = 0;
    while line < bytes.len() {
        let (mut same, mut end) = (0, line);
        while end < bytes.len() && bytes[end] != b'\n' {
            if same == end - line && same < begin.len() && bytes[end] == begin[same] {
                same += 1;
            }
            end += 1;
        }
        if same == begin.len() {
            return text.split_at(end).0.split_at(line).1;
        }
        line = end + 1;
    }
    panic!("the text has no paragraph that begins so")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_a_whole_paragraph_of_the_order() {
        assert!(NOTE.starts_with("NOTE: ") && NOTE.ends_with('.') && !NOTE.contains('\n'));
        assert!(SPECIAL_ORDER.contains(&format!("\n\n{NOTE}\n\n")), "{NOTE}");
    }

    #[test]
    fn the_orders_version_is_the_one_that_stands_in_its_head() {
        let head: String = SPECIAL_ORDER.chars().take(300).collect();
        assert!(
            head.contains("Date Issued: April 19, 2016 Order No.: Section V of SO 5-27"),
            "{head}"
        );
        assert_eq!(SPECIAL_ORDER_VERSION, "SO 5-27, Section V, of 2016-04-19");
    }
}
