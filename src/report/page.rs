//! stub
/// Stub.
#[derive(Clone, Debug, Default)]
pub struct Imprint {
    /// p
    pub publisher: Option<String>,
    /// c
    pub contact: Option<String>,
    /// l
    pub leaf: Option<u64>,
    /// n
    pub json_name: Option<String>,
}
/// Stub.
pub fn page(_: &super::PublicReport, _: &Imprint) -> String {
    String::new()
}
