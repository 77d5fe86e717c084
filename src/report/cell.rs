//! Counts that may be unshown, alone and in tables.
//!
//! What is held: sums over what one report shows give no unshown count away. What isn't: two reports of periods that overlap can be
//! subtracted from each other; and which searches make up three tables at once may bound a count more narrowly than their sums do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::net::{Net, Shown};
use crate::limits::PUBLIC_COUNT_MIN;

/// A count, or why it isn't shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Cell {
    /// The count.
    Exact(u64),
    /// It isn't shown.
    Hidden(Hidden),
}

/// Why a count isn't shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Hidden {
    /// It is so small that somebody could be singled out.
    #[serde(rename = "1 to 4")]
    Few,
    /// It isn't small, but with it a small one could be computed.
    #[serde(rename = "withheld")]
    Withheld,
}

const _: () = assert!(PUBLIC_COUNT_MIN == 5, "the words '1 to 4' say the threshold");

/// Counts of a whole, by one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Breakdown {
    /// The whole, as the log publishes it.
    pub total: u64,
    /// True where so few were counted that no part can be shown.
    pub withheld: bool,
    /// Its parts; empty where they are withheld.
    pub parts: BTreeMap<String, Cell>,
}

/// Counts by two things, with their sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// True where so few were counted that nothing of it can be shown.
    pub withheld: bool,
    /// Counts by row and column; empty where they are withheld.
    pub cells: BTreeMap<String, BTreeMap<String, Cell>>,
    /// The sum of each row.
    pub row_totals: BTreeMap<String, Cell>,
    /// The sum of each column.
    pub column_totals: BTreeMap<String, Cell>,
    /// Outcomes that aren't counted in it, because there are so few of them, with what the log publishes of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
}

/// Counts by name.
pub(super) type Counts = BTreeMap<String, u64>;
/// Searches by purpose, agency and outcome.
pub(super) type Searches = BTreeMap<(String, String, &'static str), u64>;
/// Counts by row and column, each row with all columns.
type Grid = BTreeMap<String, Counts>;

impl Breakdown {
    /// The parts of a whole that the log publishes.
    pub(super) fn of(parts: &Counts) -> Self {
        let total = parts.values().sum();
        let mut net = Net::default();
        let (whole, parted) = (net.node(), net.node());
        net.arc(parted, whole, total, true);
        let arcs: Vec<usize> = parts.values().map(|&count| net.arc(whole, parted, count, false)).collect();
        if !net.close() {
            return Self { total, withheld: true, parts: BTreeMap::new() };
        }
        let cells = parts.iter().zip(arcs).map(|((name, &count), arc)| (name.clone(), cell(&net, arc, count)));
        Self { total, withheld: false, parts: cells.collect() }
    }
}

impl Table {
    fn withheld() -> Self {
        Self { withheld: true, ..Self::default() }
    }
}

/// What is counted by purpose, agency and outcome, two at a time: purposes by outcome, agencies by outcome, purposes by agency. The log
/// publishes how many there are of each outcome.
///
/// Outcomes with fewer than `PUBLIC_COUNT_MIN` searches are left out of all three, and then, the smallest first, others with which no table
/// can be shown. The third table is shown where it can be together with the others.
pub(super) fn tables(searches: &Searches, purposes: &[&str], outcomes: &[&'static str]) -> [Table; 3] {
    let of = |outcome: &str| searches.iter().filter(|((.., its), _)| *its == outcome).map(|(_, count)| count).sum::<u64>();
    let totals: Vec<(&'static str, u64)> = outcomes.iter().map(|&outcome| (outcome, of(outcome))).collect();
    let (mut shown, mut left_out): (Vec<_>, Vec<_>) = totals.into_iter().partition(|(_, total)| !(1..PUBLIC_COUNT_MIN).contains(total));
    loop {
        let names: Vec<&str> = shown.iter().map(|(outcome, _)| *outcome).collect();
        let counted = shown.iter().any(|(_, total)| *total > 0);
        let tables = Grids::of(searches, purposes, &names).tables().filter(|_| counted || left_out.is_empty());
        if let Some(tables) = tables {
            let left_out: Counts = left_out.iter().map(|&(outcome, total)| (outcome.to_owned(), total)).collect();
            return tables.map(|table| Table { left_out: left_out.clone(), ..table });
        }
        let smallest = shown.iter().enumerate().filter(|(_, (_, total))| *total > 0).min_by_key(|(_, (_, total))| *total);
        match smallest.map(|(at, _)| at) {
            Some(at) => left_out.push(shown.remove(at)),
            None => return [Table::withheld(), Table::withheld(), Table::withheld()],
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
        let counted: Vec<_> = searches.iter().filter(|((.., outcome), _)| outcomes.contains(outcome)).collect();
        let stated = counted.iter().map(|((purpose, ..), _)| purpose.as_str());
        let purposes: BTreeSet<&str> = purposes.iter().copied().chain(stated).collect();
        let agencies: BTreeSet<&str> = counted.iter().map(|((_, agency, _), _)| agency.as_str()).collect();
        let outcomes: BTreeSet<&str> = outcomes.iter().copied().collect();
        let empty = |rows: &BTreeSet<&str>, columns: &BTreeSet<&str>| -> Grid {
            let row: Counts = columns.iter().map(|&column| (column.to_owned(), 0)).collect();
            rows.iter().map(|&name| (name.to_owned(), row.clone())).collect()
        };
        let mut grids =
            Self { purposes: empty(&purposes, &outcomes), agencies: empty(&agencies, &outcomes), both: empty(&purposes, &agencies) };
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

    /// All three tables, where they can be shown together; else the first two, each by itself; none where these can't be.
    fn tables(&self) -> Option<[Table; 3]> {
        let columns = sums(&self.purposes);
        self.linked(&columns).or_else(|| {
            let [first, second] = [&self.purposes, &self.agencies].map(|grid| alone(grid, &columns));
            Some([first?, second?, Table::withheld()])
        })
    }

    fn linked(&self, columns: &Counts) -> Option<[Table; 3]> {
        let Self { purposes: rows, agencies: others, both } = self;
        let mut net = Net::default();
        let whole = net.node();
        let mut left = Side::new(&mut net, whole, columns, rows, false);
        // Each row's sum flows on through the table of rows by others into the sums of the others, and through their table back.
        let mut right = Side::new(&mut net, whole, columns, others, true);
        let middle_rows = left.through(&mut net, None);
        let middle_others = right.through(&mut net, None);
        let across: BTreeMap<(&String, &String), usize> = both
            .iter()
            .flat_map(|(row, counts)| counts.iter().map(move |(other, &count)| (row, other, count)))
            .map(|(row, other, count)| ((row, other), net.arc(middle_rows[row], middle_others[other], count, false)))
            .collect();
        if !net.close() {
            return None;
        }
        let (first, second) = (left.table(&net, rows), right.table(&net, others));
        let cells = both.iter().map(|(row, counts)| {
            let row_cells = counts.iter().map(|(other, &count)| (other.clone(), cell(&net, across[&(row, other)], count)));
            (row.clone(), row_cells.collect())
        });
        let (row_totals, column_totals) = (first.row_totals.clone(), second.row_totals.clone());
        let third = Table { cells: cells.collect(), row_totals, column_totals, ..Table::default() };
        Some([first, second, third])
    }
}

/// One table by itself, where it can be shown.
fn alone(grid: &Grid, columns: &Counts) -> Option<Table> {
    let mut net = Net::default();
    let whole = net.node();
    let mut side = Side::new(&mut net, whole, columns, grid, false);
    side.through(&mut net, Some(whole));
    net.close().then(|| side.table(&net, grid))
}

fn sums(grid: &Grid) -> Counts {
    let mut sums = Counts::new();
    for (column, count) in grid.values().flatten() {
        *sums.entry(column.clone()).or_default() += count;
    }
    sums
}

/// One table of the net: its columns' public sums flow into its counts, and those into the sums of its rows.
struct Side<'g> {
    /// Everything flows the other way.
    back: bool,
    columns: &'g Counts,
    cells: BTreeMap<(&'g String, &'g String), usize>,
    rows: BTreeMap<&'g String, (usize, u64)>,
    sums: BTreeMap<&'g String, usize>,
}

impl<'g> Side<'g> {
    fn new(net: &mut Net, whole: usize, columns: &'g Counts, grid: &'g Grid, back: bool) -> Self {
        let flow =
            |net: &mut Net, from, to, count, public| if back { net.arc(to, from, count, public) } else { net.arc(from, to, count, public) };
        let mut heads = BTreeMap::new();
        for (column, &sum) in columns {
            let head = net.node();
            flow(net, whole, head, sum, true);
            heads.insert(column, head);
        }
        let (mut cells, mut rows) = (BTreeMap::new(), BTreeMap::new());
        for (row, counts) in grid {
            let node = net.node();
            for (column, &count) in counts {
                cells.insert((row, column), flow(net, heads[column], node, count, false));
            }
            rows.insert(row, (node, counts.values().sum()));
        }
        Self { back, columns, cells, rows, sums: BTreeMap::new() }
    }

    /// Lets each row's sum flow on, into one node or into one each; gives these.
    fn through(&mut self, net: &mut Net, into: Option<usize>) -> BTreeMap<&'g String, usize> {
        let mut nodes = BTreeMap::new();
        for (&row, &(node, sum)) in &self.rows {
            let next = into.unwrap_or_else(|| net.node());
            let (from, to) = if self.back { (next, node) } else { (node, next) };
            self.sums.insert(row, net.arc(from, to, sum, false));
            nodes.insert(row, next);
        }
        nodes
    }

    fn table(&self, net: &Net, grid: &Grid) -> Table {
        let cells = grid.iter().map(|(row, counts)| {
            let row_cells = counts.iter().map(|(column, &count)| (column.clone(), cell(net, self.cells[&(row, column)], count)));
            (row.clone(), row_cells.collect())
        });
        let row_totals = self.rows.iter().map(|(row, (_, sum))| ((*row).clone(), cell(net, self.sums[*row], *sum)));
        let column_totals = self.columns.iter().map(|(column, &sum)| (column.clone(), Cell::Exact(sum)));
        Table { cells: cells.collect(), row_totals: row_totals.collect(), column_totals: column_totals.collect(), ..Table::default() }
    }
}

fn cell(net: &Net, arc: usize, count: u64) -> Cell {
    match net.shown(arc) {
        Shown::Public | Shown::Exact => Cell::Exact(count),
        Shown::Few => Cell::Hidden(Hidden::Few),
        Shown::Withheld => Cell::Hidden(Hidden::Withheld),
    }
}
