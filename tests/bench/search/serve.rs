//! Searching when told, so that another program can measure us between its own contestants on the
//! same vectors.
//!
//! The first line on standard output says what stands ready. Then each line on standard input is a
//! command, and gets one line back: `{"batch":8,"threads":1,"offset":16}` searches for the probes
//! 16 to 23 on one thread. `"k"` is `--k` where it isn't given, `"threads"` all of them;
//! `"answers":true` has the rows and scores told. A command that can't be done gets
//! `{"error":"..."}`.

use std::io::{BufRead, Write};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::measure::{Contestant, fill};
use crate::options::{Options, Threads};
use crate::vectors::Vectors;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    batch: usize,
    threads: Option<usize>,
    #[serde(default)]
    offset: usize,
    k: Option<usize>,
    #[serde(default)]
    answers: bool,
}

/// Answers commands until standard input ends.
pub(crate) fn serve(options: &Options, vectors: &Vectors) -> Result<(), String> {
    let mut contestants = fill(options, vectors, |_, _| Ok(()))?;
    let [contestant] = contestants.as_mut_slice() else {
        return Err("two engines, wanted one: --engine cpu or --engine gpu".to_owned());
    };
    let gallery = contestant.gallery();
    let ready = json!({
        "ready": true, "n": gallery.rows(), "d": gallery.dimension(), "k": options.k,
            "probes": vectors.probes().len(),
        "engine": gallery.engine(), "device": gallery.device(), "threads": Threads::all().0,
            "version": env!("CARGO_PKG_VERSION"),
    });
    let said = |e: std::io::Error| e.to_string();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ready}").and_then(|()| out.flush()).map_err(said)?;
    for line in std::io::stdin().lock().lines() {
        let answer = answer(contestant, vectors, options.k, &line.map_err(said)?)
            .unwrap_or_else(|error| json!({ "error": error }));
        writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(said)?;
    }
    Ok(())
}

fn answer(
    contestant: &mut Contestant,
    vectors: &Vectors,
    k: usize,
    line: &str,
) -> Result<Value, String> {
    let command: Command = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let (threads, probes) = (command.threads.unwrap_or(Threads::all().0), vectors.probes().len());
    let Some(offset_max) =
        probes.checked_sub(command.batch).filter(|_| command.batch > 0 && threads > 0)
    else {
        return Err(format!(
            "batch {} on {threads} threads, wanted 1 to {probes} on 1 or more",
            command.batch
        ));
    };
    if command.offset > offset_max {
        return Err(format!(
            "offset {}, wanted at most {offset_max} for batch {}",
            command.offset, command.batch
        ));
    }
    contestant.with_threads(threads);
    let run = contestant.run(vectors, command.offset, command.batch, command.k.unwrap_or(k))?;
    let mut answer = json!({
        "batch": command.batch, "threads": threads, "offset": command.offset, "ms": run.ms,
            "cpu_ms": run.cpu_ms,
        "bytes_read": run.bytes_read, "rescored": run.rescored, "fallbacks": run.fallbacks,
    });
    if command.answers {
        let rows: Vec<Vec<u32>> = run
            .answers
            .iter()
            .map(|found| found.iter().map(|candidate| candidate.row).collect())
            .collect();
        let scores: Vec<Vec<f64>> = run
            .answers
            .iter()
            .map(|found| found.iter().map(|candidate| candidate.score).collect())
            .collect();
        answer["rows"] = json!(rows);
        answer["scores"] = json!(scores);
    }
    Ok(answer)
}
