//! Formats, as `GET /api/v1/scanners` lists them.

use serde::{Deserialize, Serialize};

/// A report format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScannerItem {
    /// Its name in the parameter `scanner`.
    pub id: String,
    /// The tool whose format it is: what issues are keyed by. Naming the tool's any format accepts all of them.
    pub tool: String,
    /// The tool's own name.
    pub name: String,
    /// Other names that the parameter takes; upper and lower case, `_` and `-` are the same.
    pub aliases: Vec<String>,
    /// Versions whose reports were read.
    pub versions: String,
    /// What the tool looks for.
    pub category: String,
    /// The formats, and how the tool is made to write them.
    pub formats: String,
    /// How its severities become scores, and where that rule comes from.
    pub severities: String,
    /// Where its results are read differently from other systems, on purpose.
    pub differences: Vec<Difference>,
}

/// A field that is read differently on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Difference {
    /// The field.
    pub field: String,
    /// Why.
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
