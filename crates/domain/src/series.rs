//! The series of a variant's scans.

use crate::digest::Short;
use crate::ids::ScannerId;

/// The scans of a variant by one tool and with the same categories. Each is compared with the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// The tool.
    pub tool: ScannerId,
    /// The categories, sorted.
    pub categories: Vec<String>,
}

impl Series {
    /// The id of the series, see [`series`].
    pub fn id(&self) -> Short {
        series(&self.tool, &self.categories)
    }
}

/// Returns the id of the series of scans by a tool with these categories. Scans of one series follow one another.
pub fn series(tool: &ScannerId, categories: &[String]) -> Short {
    let mut fields = vec![tool.as_str().as_bytes()];
    fields.extend(categories.iter().map(|category| category.as_bytes()));
    Short::derive("v1:series", &fields)
}
