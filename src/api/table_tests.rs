//! The table of routes beside the contract and itself.

use std::collections::BTreeSet;

use utoipa::openapi::PathItem;

use super::contract::document;
use super::route::{Access, Method};
use super::routes;

type Named = (String, &'static str);

/// The table's routes as the contract writes them.
fn in_table(wanted: impl Fn(Access) -> bool) -> BTreeSet<Named> {
    let wanted = routes().filter(|route| route.path.starts_with("/v1/") && wanted(route.access));
    wanted.map(|route| (route.path.replace("{*", "{"), route.method.name())).collect()
}

fn in_contract() -> BTreeSet<Named> {
    let methods = |item: &PathItem| {
        let there = [
            (Method::Get, item.get.is_some()),
            (Method::Put, item.put.is_some()),
            (Method::Post, item.post.is_some()),
            (Method::Delete, item.delete.is_some()),
        ];
        there.into_iter().filter(|(_, there)| *there).map(|(method, _)| method.name())
    };
    let paths = document().paths.paths;
    paths
        .iter()
        .flat_map(|(path, item)| methods(item).map(|method| (path.clone(), method)))
        .collect()
}

#[test]
fn the_contract_describes_no_route_that_the_table_lacks() {
    let unknown: Vec<_> = in_contract().difference(&in_table(|_| true)).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_route_of_a_caller_without_a_browser_is_in_the_contract() {
    let by_command =
        in_table(|access| matches!(access, Access::Certificates(_) | Access::PeopleOrDevices(..)));
    let unsaid: Vec<_> = by_command.difference(&in_contract()).cloned().collect();
    assert!(unsaid.is_empty(), "{unsaid:?}");
}

#[test]
fn every_operation_of_the_contract_says_how_it_refuses() {
    let contract = serde_json::to_value(document()).unwrap();
    for (path, method) in in_contract() {
        let responses = &contract["paths"][&path][method.to_lowercase()]["responses"];
        for status in ["4XX", "5XX"] {
            let schema = &responses[status]["content"]["application/problem+json"]["schema"];
            assert_eq!(schema["$ref"], "#/components/schemas/Problem", "{method} {path}");
        }
    }
}

#[test]
fn no_route_stands_twice_in_the_table() {
    let mut seen = BTreeSet::new();
    for route in routes() {
        assert!(seen.insert((route.path, route.method)), "{} {}", route.method.name(), route.path);
    }
}
