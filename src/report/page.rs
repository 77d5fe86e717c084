//! stub
/// Stub.
#[derive(Clone, Debug, Default)]
pub struct Imprint {}
/// Stub.
pub fn page(_: &super::PublicReport, _: &Imprint) -> String {
    String::new()
}
