//! axe-core, which finds accessibility defects of a page: <https://github.com/dequelabs/axe-core>.

use crate::files::target;
use serde_json::Value;

/// Runs it on the page, with every rule of WCAG 2.0 to 2.2, levels A and AA, and the best practices.
pub(super) const RUN: &str = "
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
  return axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })
    .then((results) => ({ passes: results.passes.length, violations: results.violations }));";

/// The program, to be run in a page before [`RUN`].
pub(super) fn source() -> String {
    let path = target().join("npm/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` fetches it", path.display()))
}

/// The violations that it found, one line per element: the rule, what to do, the element.
pub(super) fn violations(answer: &Value) -> Vec<String> {
    assert!(answer["passes"].as_u64().is_some_and(|passes| passes > 0), "axe checked nothing: {answer}");
    let mut found = Vec::new();
    for violation in answer["violations"].as_array().into_iter().flatten() {
        for node in violation["nodes"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let summary = text(&node["failureSummary"]).replace('\n', " ");
            found.push(format!(
                "axe {}: {}: {} {summary}",
                text(&violation["id"]),
                text(&violation["help"]),
                text(&node["html"])
            ));
        }
    }
    found
}
