//! URL paths as segments. Each segment is percent-decoded on its own, because a target's name may contain a slash.

use crate::problem::Problem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters to encode in a segment: all but the unreserved ones of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Splits a path into decoded segments, without empty ones at the start and the end.
///
/// # Errors
/// `NotFound`: a decoded segment is not UTF-8.
pub fn segments(path: &str) -> Result<Vec<String>, Problem> {
    path.trim_matches('/')
        .split('/')
        .map(|segment| {
            percent_decode_str(segment)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| Problem::not_found(format!("the path segment `{segment}` is not UTF-8")))
        })
        .collect()
}

/// Encodes a text as one segment of a path.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_after_the_path_is_cut() {
        assert_eq!(
            segments("/api/v1/targets/github.com%2Forg%2Frepo/").unwrap(),
            ["api", "v1", "targets", "github.com/org/repo"]
        );
        assert_eq!(segments(&format!("/x/{}", segment("a b/ü"))).unwrap(), ["x", "a b/ü"]);
        assert!(segments("/%FF").is_err());
    }
}
