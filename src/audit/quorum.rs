//! The witnesses' quorum: which cosignatures make a checkpoint witnessed. These are k of n
//! witnesses, at least one of them independent of the agencies, within a time.
//!
//! Read and written in the form of C2SP `tlog-policy`. What that form can't say stands in comment
//! lines of it that begin with `#smrt`, so that other software reads the same file and checks all
//! but these: `#smrt independent NAME...` names witnesses of which one must have cosigned, `#smrt
//! within-minutes N` says how soon after a leaf's time.

use std::collections::HashMap;
use std::fmt::Write;

use super::AuditError;
use super::note::{KeyUse, Note, VerifierKey};
use crate::limits::WITNESSES_MAX;

/// Whom to believe, and how many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    rule: Threshold,
    within_minutes: Option<u64>,
}

/// A witness of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its name in the rule.
    pub name: String,
    /// The key by which it cosigns.
    pub key: VerifierKey,
    /// Whether it is no agency that feeds the log.
    pub independent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Threshold {
    None,
    Witness(usize),
    Group { name: String, least: usize, members: Vec<Threshold> },
}

/// Who cosigned a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// Names and times in seconds since 1970-01-01 UTC, the earliest first.
    pub by: Vec<(String, u64)>,
    /// When the quorum was complete.
    pub complete: Option<u64>,
}

impl Quorum {
    /// A rule over one log: `least` of these witnesses, at least one of them independent.
    ///
    /// Errors: more witnesses wanted than there are, or none that is independent; two of one name
    /// or key.
    pub fn new(
        log: VerifierKey,
        witnesses: Vec<Witness>,
        least: usize,
        within_minutes: u64,
    ) -> Result<Self, AuditError> {
        if least > witnesses.len() || least > 0 && !witnesses.iter().any(|w| w.independent) {
            let reason = format!(
                "{least} of {} witnesses wanted, {} of them independent",
                witnesses.len(),
                independent(&witnesses)
            );
            return Err(AuditError::Policy { line: 0, reason });
        }
        let rule = match least {
            0 => Threshold::None,
            least => Threshold::Group {
                name: "quorum".to_owned(),
                least,
                members: (0..witnesses.len()).map(Threshold::Witness).collect(),
            },
        };
        let quorum =
            Self { logs: vec![log], witnesses, rule, within_minutes: Some(within_minutes) };
        quorum.check_keys().map_err(|reason| AuditError::Policy { line: 0, reason })?;
        Ok(quorum)
    }

    /// Reads a policy.
    ///
    /// Errors: a line of another form, with its number; a name or key twice; no quorum line.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let mut reader = Reader::default();
        for (line, number) in text.lines().zip(1..) {
            reader.line(line).map_err(|reason| AuditError::Policy { line: number, reason })?;
        }
        let rule = reader.quorum.ok_or_else(|| AuditError::Policy {
            line: 0,
            reason: "no line says what the quorum is".to_owned(),
        })?;
        let mut quorum = Self {
            logs: reader.logs,
            witnesses: reader.witnesses,
            rule,
            within_minutes: reader.within_minutes,
        };
        for name in &reader.independent {
            let unknown = || AuditError::Policy {
                line: 0,
                reason: format!("the independent witness '{name}' is none of the witnesses"),
            };
            quorum
                .witnesses
                .iter_mut()
                .find(|w| w.name == *name)
                .ok_or_else(unknown)?
                .independent = true;
        }
        quorum.check_keys().map_err(|reason| AuditError::Policy { line: 0, reason })?;
        Ok(quorum)
    }

    /// The keys of the logs.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether cosignatures are asked for at all.
    pub fn is_asked(&self) -> bool {
        self.rule != Threshold::None
    }

    /// Within how many minutes of a leaf's time it must be witnessed.
    pub fn within_minutes(&self) -> Option<u64> {
        self.within_minutes
    }

    /// Who of the witnesses cosigned a note, and when the quorum was complete; the log's own
    /// signature isn't looked at.
    pub fn witnessed(&self, note: &Note) -> Witnessed {
        self.witnessed_since(note, 0)
    }

    /// As `witnessed`, by cosignatures from this time on.
    ///
    /// Units: seconds since 1970-01-01 UTC.
    pub fn witnessed_since(&self, note: &Note, since: u64) -> Witnessed {
        let cosigned = |(at, witness): (usize, &Witness)| {
            Some((at, witness.key.cosigned(note).filter(|&time| time >= since)?))
        };
        let mut by: Vec<(usize, u64)> =
            self.witnesses.iter().enumerate().filter_map(cosigned).collect();
        by.sort_by_key(|&(_, time)| time);
        let wanted_independent = self.witnesses.iter().any(|w| w.independent);
        let complete = (1..=by.len()).find(|&count| {
            let signed = |at: usize| by[..count].iter().any(|&(by, _)| by == at);
            let independent = !wanted_independent
                || self.witnesses.iter().enumerate().any(|(at, w)| w.independent && signed(at));
            independent && self.is_asked() && self.rule.holds(&signed)
        });
        let complete = complete.map(|count| by[count - 1].1);
        Witnessed {
            by: by.into_iter().map(|(at, time)| (self.witnesses[at].name.clone(), time)).collect(),
            complete,
        }
    }

    fn check_keys(&self) -> Result<(), String> {
        let logs = self.logs.iter();
        let keys: Vec<&VerifierKey> =
            logs.clone().chain(self.witnesses.iter().map(|w| &w.key)).collect();
        for (at, key) in keys.iter().enumerate() {
            let wanted = if at < self.logs.len() { KeyUse::Log } else { KeyUse::Cosigner };
            if key.usage() != wanted {
                return Err(format!("the key of '{}' is for another use", key.name()));
            }
            if keys[..at].iter().any(|other| other.public() == key.public()) {
                return Err(format!("the key of '{}' stands there twice", key.name()));
            }
        }
        let twice = |(at, witness): (usize, &Witness)| {
            self.witnesses[..at].iter().any(|other| other.name == witness.name)
        };
        if self.witnesses.iter().enumerate().any(twice) || self.witnesses.len() > WITNESSES_MAX {
            return Err(format!(
                "a witness stands there twice, or there are more than {WITNESSES_MAX}"
            ));
        }
        Ok(())
    }
}

impl Threshold {
    fn holds(&self, signed: &impl Fn(usize) -> bool) -> bool {
        match self {
            Self::None => true,
            Self::Witness(at) => signed(*at),
            Self::Group { least, members, .. } => {
                members.iter().filter(|member| member.holds(signed)).count() >= *least
            }
        }
    }

    fn name<'n>(&'n self, witnesses: &'n [Witness]) -> &'n str {
        match self {
            Self::None => "none",
            Self::Witness(at) => &witnesses[*at].name,
            Self::Group { name, .. } => name,
        }
    }

    fn write(&self, text: &mut String, witnesses: &[Witness]) {
        if let Self::Group { name, least, members } = self {
            members.iter().for_each(|member| member.write(text, witnesses));
            let names: Vec<&str> = members.iter().map(|member| member.name(witnesses)).collect();
            writeln!(text, "group {name} {least} {}", names.join(" "))
                .expect("a string takes all that is written");
        }
    }
}

impl std::fmt::Display for Quorum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for log in &self.logs {
            writeln!(f, "log {log}")?;
        }
        for Witness { name, key, .. } in &self.witnesses {
            writeln!(f, "witness {name} {key}")?;
        }
        let mut groups = String::new();
        self.rule.write(&mut groups, &self.witnesses);
        writeln!(f, "{groups}quorum {}", self.rule.name(&self.witnesses))?;
        let independent: Vec<&str> =
            self.witnesses.iter().filter(|w| w.independent).map(|w| w.name.as_str()).collect();
        if !independent.is_empty() {
            writeln!(f, "#smrt independent {}", independent.join(" "))?;
        }
        match self.within_minutes {
            Some(minutes) => writeln!(f, "#smrt within-minutes {minutes}"),
            None => Ok(()),
        }
    }
}

fn independent(witnesses: &[Witness]) -> usize {
    witnesses.iter().filter(|w| w.independent).count()
}

#[derive(Default)]
struct Reader {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    /// Witnesses and groups that no group has yet.
    free: HashMap<String, Threshold>,
    names: Vec<String>,
    quorum: Option<Threshold>,
    independent: Vec<String>,
    within_minutes: Option<u64>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let key = |key: &str| VerifierKey::parse(key).map_err(|e| e.to_string());
        match words[..] {
            [] => Ok(()),
            ["#smrt", "independent", ref names @ ..] => {
                self.independent.extend(names.iter().map(|&name| name.to_owned()));
                Ok(())
            }
            ["#smrt", "within-minutes", minutes] => {
                self.within_minutes = Some(
                    minutes.parse().map_err(|_| format!("'{minutes}' is no number of minutes"))?,
                );
                Ok(())
            }
            [word, ..] if word.starts_with('#') => Ok(()),
            ["log", log] | ["log", log, _] => {
                self.logs.push(key(log)?);
                Ok(())
            }
            ["witness", name, witness] | ["witness", name, witness, _] => {
                let at = self.witnesses.len();
                self.witnesses.push(Witness {
                    name: name.to_owned(),
                    key: key(witness)?,
                    independent: false,
                });
                self.name(name, Threshold::Witness(at))
            }
            ["group", name, least, ref members @ ..] if !members.is_empty() => {
                let least = match least {
                    "all" => members.len(),
                    "any" => 1,
                    k => k
                        .parse()
                        .ok()
                        .filter(|k| (1..=members.len()).contains(k))
                        .ok_or_else(|| format!("'{k}' of {} members", members.len()))?,
                };
                let members =
                    members.iter().map(|&member| self.take(member)).collect::<Result<_, _>>()?;
                self.name(name, Threshold::Group { name: name.to_owned(), least, members })
            }
            ["quorum", name] => {
                let rule = if name == "none" { Threshold::None } else { self.take(name)? };
                if self.quorum.replace(rule).is_some() {
                    Err("the quorum is said twice".to_owned())
                } else {
                    Ok(())
                }
            }
            _ => Err(format!(
                "'{}' is no line of a policy",
                line.chars().take(60).collect::<String>()
            )),
        }
    }

    fn name(&mut self, name: &str, rule: Threshold) -> Result<(), String> {
        if name == "none" || self.names.iter().any(|known| known == name) {
            return Err(format!("the name '{name}' is taken"));
        }
        self.names.push(name.to_owned());
        self.free.insert(name.to_owned(), rule);
        Ok(())
    }

    fn take(&mut self, name: &str) -> Result<Threshold, String> {
        self.free
            .remove(name)
            .ok_or_else(|| format!("'{name}' is not said before, or belongs to a group already"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::note::{CosignerKey, LogKey};

    fn log() -> LogKey {
        LogKey::new("fusion.example/smrt", &[5; 32]).unwrap()
    }

    fn cosigner(n: u8) -> CosignerKey {
        CosignerKey::new(&format!("w{n}.example"), &[n; 32]).unwrap()
    }

    fn quorum(least: usize) -> Result<Quorum, AuditError> {
        let witness = |n: u8| Witness {
            name: format!("w{n}"),
            key: cosigner(n).verifier().clone(),
            independent: n > 12,
        };
        Quorum::new(log().verifier().clone(), (10..14).map(witness).collect(), least, 60)
    }

    fn note(by: &[u8]) -> Note {
        let mut note = Note::parse(&log().sign(3, [9; 32])).unwrap();
        by.iter().for_each(|&n| cosigner(n).cosign(&mut note, 1_000 + u64::from(n)));
        note
    }

    #[test]
    fn a_quorum_wants_so_many_and_one_of_them_independent() {
        let quorum = quorum(2).unwrap();
        for (by, complete) in [
            (&[][..], None),
            (&[13], None),
            (&[10, 11, 12], None),
            (&[10, 13], Some(1_013)),
            (&[13, 12, 11, 10], Some(1_013)),
        ] {
            let witnessed = quorum.witnessed(&note(by));
            assert_eq!((witnessed.complete, witnessed.by.len()), (complete, by.len()), "{by:?}");
            assert!(witnessed.by.is_sorted_by_key(|(_, time)| *time));
        }
        assert_eq!(
            quorum.witnessed_since(&note(&[10, 13]), 1_011),
            Witnessed { by: vec![("w13".to_owned(), 1_013)], complete: None }
        );
        let stranger = quorum.witnessed(&note(&[20, 21]));
        assert_eq!(stranger, Witnessed::default());
    }

    #[test]
    fn a_policy_survives_its_text_and_is_read_by_its_rule_alone_elsewhere() {
        let quorum = quorum(2).unwrap();
        let text = quorum.to_string();
        assert_eq!(Quorum::parse(&text), Ok(quorum));
        assert!(
            text.contains(
                "group quorum 2 w10 w11 w12 w13\nquorum quorum\n#smrt independent \
            w13\n#smrt within-minutes 60\n"
            ),
            "{text}"
        );
        let none = super::Quorum::new(log().verifier().clone(), Vec::new(), 0, 60).unwrap();
        assert!(!none.is_asked() && Quorum::parse(&none.to_string()) == Ok(none));
    }

    #[test]
    fn groups_of_groups_are_held_as_the_policy_says() {
        let keys: String =
            (10..14).map(|n| format!("witness w{n} {}\n", cosigner(n).verifier())).collect();
        let text = format!(
            "# of two houses\n{keys}group a any w10 w11\n group\tb  all w12 w13\ngroup both all a \
             b\n\nquorum both\n"
        );
        let quorum = Quorum::parse(&text).unwrap();
        for (by, holds) in [
            (&[10, 12, 13][..], true),
            (&[10, 11, 13], false),
            (&[12, 13], false),
            (&[11, 12, 13], true),
        ] {
            assert_eq!(quorum.witnessed(&note(by)).complete.is_some(), holds, "{by:?}");
        }
    }

    #[test]
    fn what_is_no_policy_is_refused_with_its_line() {
        let w = |n: u8| format!("witness w{n} {}\n", cosigner(n).verifier());
        for (text, line) in [
            (String::new(), 0),
            (format!("{}quorum w11\n", w(10)), 2),
            (format!("{0}{0}quorum w10\n", w(10)), 2),
            (format!("{}group g 2 w10\nquorum g\n", w(10)), 2),
            (format!("{}{}group g all w10 w11\ngroup h any w10\nquorum g\n", w(10), w(11)), 4),
            (format!("{}witness other {}\nquorum w10\n", w(10), cosigner(10).verifier()), 0),
            (format!("witness w {}\nquorum w\n", log().verifier()), 0),
            ("witnesses all\n".to_owned(), 1),
            ("quorum none\nquorum none\n".to_owned(), 2),
            ("quorum none\n#smrt independent w1\n".to_owned(), 0),
        ] {
            assert!(
                matches!(Quorum::parse(&text),
                    Err(AuditError::Policy { line: found, .. }) if found == line),
                "{text}: {:?}",
                Quorum::parse(&text)
            );
        }
        assert!(quorum(5).is_err());
    }
}
