//! Report formats, as `GET /api/v1/scanners` lists them.

use serde::{Deserialize, Serialize};

/// A report format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScannerItem {
    /// The value of the parameter `scanner`.
    pub id: String,
    /// The tool that writes the format. It is part of the key of each issue. An upload that names one format of a tool
    /// accepts all formats of the tool.
    pub tool: String,
    /// The tool's name.
    pub name: String,
    /// Other values of the parameter `scanner`. Upper and lower case, `_` and `-` make no difference.
    pub aliases: Vec<String>,
    /// The versions of the tool whose reports were tested.
    pub versions: String,
    /// The kind of problems that the tool finds.
    pub category: String,
    /// The notation, and the command that writes it.
    pub formats: String,
    /// The rule that maps the tool's severities to scores, and the source of the rule.
    pub severities: String,
    /// The intended differences from other systems.
    pub differences: Vec<Difference>,
}

/// A field that is read differently from other systems, on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Difference {
    /// The field.
    pub field: String,
    /// The reason.
    pub reason: String,
}

#[cfg(feature = "formats")]
impl ScannerItem {
    /// All formats, by id.
    pub fn all() -> Vec<Self> {
        scanners::ALL.iter().map(Self::new).collect()
    }

    fn new(scanner: &scanners::Scanner) -> Self {
        let owned = |text: &str| text.to_owned();
        let difference = |(field, reason): &(&str, &str)| Difference { field: owned(field), reason: owned(reason) };
        Self {
            id: owned(scanner.id),
            tool: owned(scanner.tool),
            name: owned(scanner.name),
            aliases: scanner.aliases.iter().map(|alias| owned(alias)).collect(),
            versions: owned(scanner.versions),
            category: owned(scanner.category),
            formats: owned(scanner.formats),
            severities: owned(scanner.severities),
            differences: scanner.differences.iter().map(difference).collect(),
        }
    }
}
