//! Blind spots: what a scanner should have examined and could not.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The extent of a blind spot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reach", content = "name")]
pub enum Reach {
    /// A file, by the path that findings in it have; or a host, by its name or address in lower case, or a site, by its
    /// `scheme://host:port` in lower case.
    File(String),
    /// A folder with everything in it, by its path in the report.
    Folder(String),
    /// A rule, by its id: it was not applied.
    Rule(String),
    /// A tool inside the scanner, by the name that its findings have.
    Tool(String),
    /// Everything that the scanner should have examined.
    Everything,
}

impl Reach {
    /// The reach in one word, as it is stored: `file`, `folder`, `rule`, `tool` or `everything`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Folder(_) => "folder",
            Self::Rule(_) => "rule",
            Self::Tool(_) => "tool",
            Self::Everything => "everything",
        }
    }

    /// The name of the file, folder, rule or tool.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::File(name) | Self::Folder(name) | Self::Rule(name) | Self::Tool(name) => Some(name),
            Self::Everything => None,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} `{name}`", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

/// Something that the scanner should have examined and could not. What the reference scan has there is not seen, which
/// is not the same as remediated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlindSpot {
    /// The extent.
    #[serde(flatten)]
    pub reach: Reach,
    /// The scanner's reason.
    pub reason: String,
}

/// The unit in which a report says how much was examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Files.
    Files,
    /// Lines of code.
    Lines,
    /// Compiled classes.
    Classes,
    /// Rules that were applied.
    Rules,
    /// Resources: of infrastructure as code, or of a cloud account.
    Resources,
    /// Hosts.
    Hosts,
}

impl Unit {
    /// The unit in lower case, as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Lines => "lines",
            Self::Classes => "classes",
            Self::Rules => "rules",
            Self::Resources => "resources",
            Self::Hosts => "hosts",
        }
    }
}

/// The number of things that the scanner examined, for each unit in which the report states it.
pub type Examined = BTreeMap<Unit, u64>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_pinned() {
        let spots = [
            (Reach::File("src/a.py".to_owned()), r#"{"reach":"file","name":"src/a.py","reason":"syntax error"}"#),
            (Reach::Everything, r#"{"reach":"everything","reason":"syntax error"}"#),
        ];
        for (reach, stored) in spots {
            let spot = BlindSpot { reach, reason: "syntax error".to_owned() };
            assert_eq!(serde_json::to_string(&spot).unwrap(), stored);
            assert_eq!(serde_json::from_str::<BlindSpot>(stored).unwrap(), spot);
        }
        assert_eq!(serde_json::to_string(&Examined::from([(Unit::Files, 3)])).unwrap(), r#"{"files":3}"#);
    }
}
