//! The file as others read it: text by Poppler, structure by QPDF, and what PDF/A asks for.

use std::path::Path;
use std::process::Command;

use super::sample::{ASTRONAUT, evidence, report};
use super::*;

#[test]
fn look() {
    let Ok(folder) = std::env::var("SMRT_SHEETS") else { return };
    let mut marked = report(2);
    marked.evidence = Some(evidence());
    marked.state = StateMark::Real;
    for (name, report) in [("twenty", report(20)), ("none", report(0)), ("evidence", marked)] {
        let begun = std::time::Instant::now();
        let pdf = report.to_pdf().unwrap();
        eprintln!("{name}: {} bytes in {} ms", pdf.len(), begun.elapsed().as_millis());
        std::fs::write(Path::new(&folder).join(format!("{name}.pdf")), pdf).unwrap();
    }
}
