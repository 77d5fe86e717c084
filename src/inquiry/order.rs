//! The special order by which inquiries run, word for word: what pages show, and what reports name.

/// The special order as it was released to the public, with what its publisher redacted; the text
/// that ships with this software.
pub const SPECIAL_ORDER: &str = include_str!("special-order-5-27.txt");
/// Its name and day.
pub const SPECIAL_ORDER_VERSION: &str = "SO 5-27, Section V, of 2016-04-19";

#[cfg(test)]
mod tests {
    use super::*;

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
