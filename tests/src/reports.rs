//! Bandit reports to upload: those of the demo and of the tutorial, and generated ones.

use crate::files::{data, workspace};
use crate::random::Random;
use serde_json::{Value, json};
use std::path::PathBuf;

pub use crate::upload::gzip;

/// Two reports of one program: its main branch, and a branch with more weaknesses.
pub struct Program {
    /// The target's name.
    pub target: &'static str,
    /// The main branch's name.
    pub main: &'static str,
    /// The other branch's name.
    pub branch: &'static str,
    /// The report of the main branch.
    pub main_report: PathBuf,
    /// The report of the other branch.
    pub branch_report: PathBuf,
}

impl Program {
    /// The demo's program.
    pub fn demo() -> Self {
        let reports = workspace().join("demo/reports");
        Self {
            target: "notes",
            main: "main",
            branch: "feature",
            main_report: reports.join("main.json"),
            branch_report: reports.join("feature.json"),
        }
    }

    /// The tutorial's program, whose reports are in the folder that `GATEHOUSE_TUTORIAL` names.
    pub fn tutorial() -> Self {
        let folder = data("GATEHOUSE_TUTORIAL");
        Self {
            target: "dvpwa",
            main: "master",
            branch: "DEMO-001",
            main_report: folder.join("dvpwa-master.json"),
            branch_report: folder.join("dvpwa-DEMO-001.json"),
        }
    }

    /// The report of the main branch.
    pub fn main_bytes(&self) -> Vec<u8> {
        std::fs::read(&self.main_report).unwrap()
    }

    /// The report of the other branch.
    pub fn branch_bytes(&self) -> Vec<u8> {
        std::fs::read(&self.branch_report).unwrap()
    }
}

/// A report with these results.
pub fn bandit(results: &[Value]) -> Vec<u8> {
    json!({"errors": [], "generated_at": "2026-11-23T04:00:00Z", "metrics": {}, "results": results})
        .to_string()
        .into_bytes()
}

/// A result of this rule (`B100` and up) in this file and line. `word` is `HIGH`, `MEDIUM` or `LOW`.
pub fn result(rule: u64, word: &str, file: &str, line: u64) -> Value {
    json!({
        "code": format!("{} def f{rule}():\n{line}     call_{rule}('{file}', {line})\n{} \n", line - 1, line + 1),
        "col_offset": 4, "filename": file, "issue_confidence": "HIGH", "issue_cwe": {"id": 78}, "issue_severity": word,
        "issue_text": format!("rule {rule} was broken"), "line_number": line, "line_range": [line],
        "more_info": "https://bandit.readthedocs.io", "test_id": format!("B{}", 100 + rule),
        "test_name": format!("rule_{rule}"),
    })
}

/// A report of this many results over 20 rules; another seed gives other results.
pub fn generated(results: u64, seed: u64) -> Vec<u8> {
    let mut random = Random::seeded(seed);
    let list: Vec<_> = (0..results)
        .map(|n| {
            let rule = random.below(20);
            let word = ["HIGH", "MEDIUM", "LOW"][usize::try_from(rule % 3).unwrap()];
            result(rule, word, &format!("./src/module_{}/views.py", random.below(7)), 2 + n * 10)
        })
        .collect();
    bandit(&list)
}
