//! Tables of searches by purpose, agency, outcome and rule, which share their sums and so are
//! suppressed together.

use std::collections::{BTreeMap, BTreeSet};

use super::cell::{Breakdown, Cell, Counts, Table, cell};
use super::rules::{agency_of, label_of, says_nothing};
use super::suppression::SuppressionGraph;
use crate::limits::PUBLIC_COUNT_MIN;

/// The outcome of searches that were refused.
pub(super) const REFUSED: &str = "refused";

/// Searches by purpose, agency and outcome.
pub(super) type Searches = BTreeMap<(String, String, &'static str), u64>;
/// Counts by row and column, each row with all columns.
type Grid = BTreeMap<String, Counts>;

/// Three tables of searches by purpose, agency and outcome, two at a time: purposes by outcome,
/// agencies by outcome, purposes by agency. The log publishes how many there are of each outcome.
///
/// Outcomes with fewer than `PUBLIC_COUNT_MIN` searches are left out of all three, and then, the
/// smallest first, others with which no table can be shown. The third table is shown where it can
/// be together with the others; so are the rules by which searches were refused.
pub(super) fn tables(
    searches: &Searches,
    rules: &Counts,
    purposes: &[&str],
    outcomes: &[&'static str],
) -> ([Table; 3], Breakdown) {
    let of = |outcome: &str| {
        searches
            .iter()
            .filter(|((.., its), _)| *its == outcome)
            .map(|(_, count)| count)
            .sum::<u64>()
    };
    let totals: Vec<(&'static str, u64)> =
        outcomes.iter().map(|&outcome| (outcome, of(outcome))).collect();
    let (mut shown, mut left_out): (Vec<_>, Vec<_>) =
        totals.into_iter().partition(|(_, total)| !(1..PUBLIC_COUNT_MIN).contains(total));
    loop {
        let names: Vec<&str> = shown.iter().map(|(outcome, _)| *outcome).collect();
        let counted = shown.iter().any(|(_, total)| *total > 0);
        let grids = Grids::of(searches, purposes, &names);
        // Where refused searches aren't shown by agency, their rules have nothing to do with the
        // tables.
        let linked = Some(rules).filter(|_| names.contains(&REFUSED));
        if let Some((tables, refused)) =
            grids.tables(linked).filter(|_| counted || left_out.is_empty())
        {
            let left_out: Counts =
                left_out.iter().map(|&(outcome, total)| (outcome.to_owned(), total)).collect();
            let tables = tables.map(|table| Table { left_out: left_out.clone(), ..table });
            return (tables, refused.unwrap_or_else(|| Breakdown::of(rules)));
        }
        let smallest = shown
            .iter()
            .enumerate()
            .filter(|(_, (_, total))| *total > 0)
            .min_by_key(|(_, (_, total))| *total);
        match smallest.map(|(at, _)| at) {
            Some(at) => left_out.push(shown.remove(at)),
            None => {
                return (
                    [Table::withheld(), Table::withheld(), Table::withheld()],
                    Breakdown::of(rules),
                );
            }
        }
    }
}

/// Counts by purpose and outcome, by agency and outcome, by purpose and agency.
struct Grids {
    purposes: Grid,
    agencies: Grid,
    both: Grid,
}

impl Grids {
    /// Of searches with one of these outcomes; an agency that has none of them isn't named.
    fn of(searches: &Searches, purposes: &[&str], outcomes: &[&str]) -> Self {
        let counted: Vec<_> =
            searches.iter().filter(|((.., outcome), _)| outcomes.contains(outcome)).collect();
        let stated = counted.iter().map(|((purpose, ..), _)| purpose.as_str());
        let purposes: BTreeSet<&str> = purposes.iter().copied().chain(stated).collect();
        let agencies: BTreeSet<&str> =
            counted.iter().map(|((_, agency, _), _)| agency.as_str()).collect();
        let outcomes: BTreeSet<&str> = outcomes.iter().copied().collect();
        let empty = |rows: &BTreeSet<&str>, columns: &BTreeSet<&str>| -> Grid {
            let row: Counts = columns.iter().map(|&column| (column.to_owned(), 0)).collect();
            rows.iter().map(|&name| (name.to_owned(), row.clone())).collect()
        };
        let mut grids = Self {
            purposes: empty(&purposes, &outcomes),
            agencies: empty(&agencies, &outcomes),
            both: empty(&purposes, &agencies),
        };
        let add = |grid: &mut Grid, row: &str, column: &str, count: u64| {
            *grid.entry(row.to_owned()).or_default().entry(column.to_owned()).or_default() += count;
        };
        for ((purpose, agency, outcome), count) in counted {
            add(&mut grids.purposes, purpose, outcome, *count);
            add(&mut grids.agencies, agency, outcome, *count);
            add(&mut grids.both, purpose, agency, *count);
        }
        grids
    }

    /// The tables, and the rules where these are given: as much of them as can be shown together,
    /// the first two tables at least.
    fn tables(&self, rules: Option<&Counts>) -> Option<([Table; 3], Option<Breakdown>)> {
        let columns = sums(&self.purposes);
        let attempt = |rules: Option<&Counts>| {
            self.linked(&columns, rules).or_else(|| {
                let (first, _) = alone(&self.purposes, &columns, None)?;
                let (second, refused) = alone(&self.agencies, &columns, rules)?;
                Some(([first, second, Table::withheld()], refused))
            })
        };
        attempt(rules).or_else(|| {
            let rules = rules?;
            let (tables, _) = attempt(None)?;
            Some((tables, Some(Breakdown::withheld(rules.values().sum()))))
        })
    }

    fn linked(
        &self,
        columns: &Counts,
        rules: Option<&Counts>,
    ) -> Option<([Table; 3], Option<Breakdown>)> {
        let Self { purposes: rows, agencies: others, both } = self;
        let mut graph = SuppressionGraph::default();
        let whole = graph.node();
        let mut left = Side::new(&mut graph, whole, columns, rows, None, false);
        // Each row's sum flows on through the table of rows by others into the sums of the others,
        // and through their table back.
        let mut right = Side::new(&mut graph, whole, columns, others, rules, true);
        let middle_rows = left.through(&mut graph, None);
        let middle_others = right.through(&mut graph, None);
        let across: BTreeMap<(&String, &String), usize> = both
            .iter()
            .flat_map(|(row, counts)| counts.iter().map(move |(other, &count)| (row, other, count)))
            .map(|(row, other, count)| {
                (
                    (row, other),
                    graph.arc(
                        middle_rows[row],
                        middle_others[other],
                        count,
                        says_nothing(row) || says_nothing(other),
                    ),
                )
            })
            .collect();
        if !graph.suppress() {
            return None;
        }
        let (first, second) = (left.table(&graph, rows), right.table(&graph, others));
        let cells = both.iter().map(|(row, counts)| {
            let row_cells = counts
                .iter()
                .map(|(other, &count)| (other.clone(), cell(&graph, across[&(row, other)], count)));
            (row.clone(), row_cells.collect())
        });
        let (row_totals, column_totals) = (first.row_totals.clone(), second.row_totals.clone());
        let third = Table { cells: cells.collect(), row_totals, column_totals, ..Table::default() };
        Some(([first, second, third], rules.map(|rules| right.refused(&graph, rules))))
    }
}

/// One table by itself, with the rules where these are given, where it can be shown.
fn alone(
    grid: &Grid,
    columns: &Counts,
    rules: Option<&Counts>,
) -> Option<(Table, Option<Breakdown>)> {
    let mut graph = SuppressionGraph::default();
    let whole = graph.node();
    let mut side = Side::new(&mut graph, whole, columns, grid, rules, false);
    side.through(&mut graph, Some(whole));
    graph
        .suppress()
        .then(|| (side.table(&graph, grid), rules.map(|rules| side.refused(&graph, rules))))
}

fn sums(grid: &Grid) -> Counts {
    let mut sums = Counts::new();
    for (column, count) in grid.values().flatten() {
        *sums.entry(column.clone()).or_default() += count;
    }
    sums
}

/// One table's part of the graph: its columns' public sums flow into its counts, and those into the
/// sums of its rows.
struct Side<'g> {
    /// Everything flows the other way.
    back: bool,
    columns: &'g Counts,
    cells: BTreeMap<(&'g String, &'g String), usize>,
    rows: BTreeMap<&'g String, (usize, u64)>,
    sums: BTreeMap<&'g String, usize>,
    rules: BTreeMap<&'g String, usize>,
}

impl<'g> Side<'g> {
    /// With `rules`, the sum of the refused flows through these first: some rules refuse searches
    /// of agencies that are listed, others those of agencies that aren't, so both are sums of the
    /// same searches.
    fn new(
        graph: &mut SuppressionGraph,
        whole: usize,
        columns: &'g Counts,
        grid: &'g Grid,
        rules: Option<&'g Counts>,
        back: bool,
    ) -> Self {
        let flow = |graph: &mut SuppressionGraph, from, to, count, public| {
            if back {
                graph.arc(to, from, count, public)
            } else {
                graph.arc(from, to, count, public)
            }
        };
        let mut heads = BTreeMap::new();
        for (column, &sum) in columns {
            let head = graph.node();
            flow(graph, whole, head, sum, true);
            heads.insert(column.as_str(), head);
        }
        let (mut groups, mut by_rule) = (BTreeMap::new(), BTreeMap::new());
        for (rule, &count) in rules.into_iter().flatten() {
            let group = *groups.entry(agency_of(rule)).or_insert_with(|| graph.node());
            by_rule.insert(rule, flow(graph, heads[REFUSED], group, count, says_nothing(rule)));
        }
        let (mut cells, mut rows) = (BTreeMap::new(), BTreeMap::new());
        for (row, counts) in grid {
            let node = graph.node();
            for (column, &count) in counts {
                let through_rules = rules.is_some() && column == REFUSED;
                let head = if through_rules {
                    *groups.entry(label_of(row)).or_insert_with(|| graph.node())
                } else {
                    heads[column.as_str()]
                };
                cells.insert((row, column), flow(graph, head, node, count, says_nothing(row)));
            }
            rows.insert(row, (node, counts.values().sum()));
        }
        Self { back, columns, cells, rows, sums: BTreeMap::new(), rules: by_rule }
    }

    /// Lets each row's sum flow on, into one node or into one each; gives these.
    fn through(
        &mut self,
        graph: &mut SuppressionGraph,
        into: Option<usize>,
    ) -> BTreeMap<&'g String, usize> {
        let mut nodes = BTreeMap::new();
        for (&row, &(node, sum)) in &self.rows {
            let next = into.unwrap_or_else(|| graph.node());
            let (from, to) = if self.back { (next, node) } else { (node, next) };
            self.sums.insert(row, graph.arc(from, to, sum, says_nothing(row)));
            nodes.insert(row, next);
        }
        nodes
    }

    fn refused(&self, graph: &SuppressionGraph, rules: &Counts) -> Breakdown {
        let parts =
            rules.iter().map(|(rule, &count)| (rule.clone(), cell(graph, self.rules[rule], count)));
        Breakdown { total: rules.values().sum(), withheld: false, parts: parts.collect() }
    }

    fn table(&self, graph: &SuppressionGraph, grid: &Grid) -> Table {
        let cells = grid.iter().map(|(row, counts)| {
            let row_cells = counts.iter().map(|(column, &count)| {
                (column.clone(), cell(graph, self.cells[&(row, column)], count))
            });
            (row.clone(), row_cells.collect())
        });
        let row_totals = self
            .rows
            .iter()
            .map(|(row, (_, sum))| ((*row).clone(), cell(graph, self.sums[*row], *sum)));
        let column_totals =
            self.columns.iter().map(|(column, &sum)| (column.clone(), Cell::Exact(sum)));
        Table {
            cells: cells.collect(),
            row_totals: row_totals.collect(),
            column_totals: column_totals.collect(),
            ..Table::default()
        }
    }
}
