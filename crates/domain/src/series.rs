//! The series of a variant's scans.

use crate::digest::Short;
use crate::ids::ScannerId;

/// Returns the id of the series of scans by a tool with these categories. Scans of one series follow one another.
pub fn series(tool: &ScannerId, categories: &[String]) -> Short {
    let mut fields = vec![tool.as_str().as_bytes()];
    fields.extend(categories.iter().map(|category| category.as_bytes()));
    Short::derive("v1:series", &fields)
}
