//! The routes of `spin.toml` and the table of calls agree.

use super::*;
use std::cmp::Ordering;

const MANIFEST: &str = include_str!("../../../../../spin.toml");

/// Calls whose route leads to another component than the one that answers, because Spin routes by path alone: that
/// component forwards them.
const FORWARDED: [(&str, &str, &str); 1] = [("GET", "/api/v1/projects/{project}/scans", "ingest")];

/// A public route of `spin.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    pattern: &'static str,
    component: &'static str,
}

/// The public routes of `spin.toml` below `/api`.
fn api_routes() -> Vec<Route> {
    let triggers = MANIFEST.split("[[trigger.http]]").skip(1);
    let routes = triggers.filter_map(|rest| {
        let trigger = rest.split("\n[").next().unwrap();
        let value = |key: &str| trigger.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let (route, component) = (value("route =").unwrap(), value("component =").unwrap().trim_matches('"'));
        let pattern = route.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        assert!(pattern.is_some() || route == "{ private = true }", "unexpected route in spin.toml: {route}");
        Some(Route { pattern: pattern?, component })
    });
    routes.filter(|route| route.pattern.starts_with("/api/")).collect()
}

impl Route {
    /// True if the route takes a path.
    fn matches(self, path: &str) -> bool {
        let (fixed, open) = match self.pattern.strip_suffix("/...") {
            Some(fixed) => (fixed, true),
            None => (self.pattern, false),
        };
        let (pattern, path): (Vec<_>, Vec<_>) = (fixed.split('/').collect(), path.split('/').collect());
        let long_enough = if open { pattern.len() <= path.len() } else { pattern.len() == path.len() };
        long_enough && pattern.iter().zip(&path).all(|(part, segment)| part.starts_with(':') || part == segment)
    }

    /// Compares by precedence, as Spin does: segment by segment, a fixed one before a `:name` before `...`.
    fn precedence(&self, other: &Self) -> Ordering {
        let ranks = |route: &Self| -> Vec<u8> {
            route
                .pattern
                .split('/')
                .map(|part| if part == "..." { 2 } else { u8::from(part.starts_with(':')) })
                .collect()
        };
        ranks(self).cmp(&ranks(other))
    }
}

#[test]
fn every_call_has_a_route_in_spin_toml_to_its_component_and_every_route_has_a_call() {
    let routes = api_routes();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for (call, component) in all() {
        let path = example(call);
        let forwarder = FORWARDED.iter().find(|(method, path, _)| (*method, *path) == (call.method, call.path));
        let expected = forwarder.map_or(component, |(.., forwarder)| *forwarder);
        match routes.iter().filter(|route| route.matches(&path)).min_by(|a, b| a.precedence(b)) {
            Some(route) => {
                used.insert(*route);
                if route.component != expected {
                    let Route { pattern, component } = route;
                    wrong.push(format!(
                        "{} {}: expected a route to `{expected}`, found `{pattern}` to `{component}`",
                        call.method, call.path
                    ));
                }
            }
            None => wrong.push(format!("{} {}: expected a route to `{expected}`, found none", call.method, call.path)),
        }
    }
    assert!(wrong.is_empty(), "calls that spin.toml does not route to their component:\n{}", wrong.join("\n"));
    let declared: BTreeSet<Route> = routes.iter().copied().collect();
    assert_eq!(declared.len(), routes.len(), "spin.toml declares a route twice");
    let unused: Vec<_> = declared.difference(&used).collect();
    assert!(unused.is_empty(), "routes of spin.toml that no call of crates/api/src/calls uses: {unused:?}");
}

#[test]
fn the_route_with_the_first_more_specific_segment_wins() {
    let component = |path: &str| {
        let routes = api_routes();
        let route = routes.iter().filter(|route| route.matches(path)).min_by(|a, b| a.precedence(b));
        route.map(|route| route.component)
    };
    assert_eq!(component("/api/v1/projects/shop/scans"), Some("ingest"));
    assert_eq!(component("/api/v1/projects/shop/scans/1"), Some("results"));
    assert_eq!(component("/api/v1/projects/shop/scans/1/replay"), Some("ingest"));
    assert_eq!(component("/api/v1/projects/shop"), Some("projects"), "`/...` also takes an empty rest");
    assert_eq!(component("/api/v1/nothing"), None);
}
