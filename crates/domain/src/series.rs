//! The series of a variant's scans.

use crate::digest::Short;
use crate::ids::ScannerId;

/// Which of a variant's scans follow one another: those of one tool and of the same categories.
pub fn series(tool: &ScannerId, categories: &[String]) -> Short {
    let mut fields = vec![tool.as_str().as_bytes()];
    fields.extend(categories.iter().map(|category| category.as_bytes()));
    Short::derive("v1:series", &fields)
}
