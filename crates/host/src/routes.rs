//! Routes: from a path to its trigger.
//!
//! The patterns are Spin's: literal segments, `:name` segments that take one segment, and a trailing `/...` that takes
//! the rest, also an empty rest. The most specific pattern wins, judged segment by segment from the left: literal
//! before `:name` before `/...`. It knows nothing of methods or hosts, and decodes no percent-escapes.

/// The routes of an application, each leading to a `T`.
#[derive(Debug)]
pub(crate) struct Router<T> {
    /// Most specific first, so that the first match is the answer.
    routes: Vec<Route<T>>,
}

#[derive(Debug)]
pub(crate) struct Route<T> {
    /// The pattern as the manifest has it.
    pub(crate) raw: String,
    pub(crate) target: T,
    pattern: Pattern,
}

#[derive(Debug)]
struct Pattern {
    segments: Vec<Segment>,
    /// True if the pattern ends in `/...`.
    open: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Param(String),
}

/// A route that matched, with what its pattern took from the path.
#[derive(Debug)]
pub(crate) struct Match<'a, T> {
    pub(crate) route: &'a Route<T>,
    /// The part that the trailing `/...` matched, with its leading slash; empty for an exact route.
    pub(crate) rest: String,
    /// The part of the path that each `:name` matched.
    pub(crate) params: Vec<(&'a str, &'a str)>,
}

/// Routes that cannot be served: the fault of the manifest's author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two routes that match the same paths with the same precedence.
    #[error("the routes {first:?} and {second:?} match the same paths")]
    Duplicate {
        /// The route that comes first in the manifest.
        first: String,
        /// The other.
        second: String,
    },
    /// A route below a prefix the host answers itself.
    #[error("the route {route:?} is below {prefix}, which the host answers itself")]
    Reserved {
        /// The route.
        route: String,
        /// The prefix.
        prefix: &'static str,
    },
    /// A pattern outside the grammar.
    #[error("the route {route:?} is not a pattern: {reason}")]
    Pattern {
        /// The route.
        route: String,
        /// The reason.
        reason: &'static str,
    },
}

/// The paths that the host answers itself.
const RESERVED: [&str; 2] = ["/.well-known/spin", "/.well-known/gatehouse"];

impl<T> Router<T> {
    /// Orders the routes, given as pattern and target.
    pub(crate) fn new(routes: impl IntoIterator<Item = (String, T)>) -> Result<Self, Error> {
        let mut built: Vec<Route<T>> = Vec::new();
        for (raw, target) in routes {
            if let Some(prefix) = RESERVED.into_iter().find(|prefix| raw.starts_with(prefix)) {
                return Err(Error::Reserved { route: raw, prefix });
            }
            let pattern = Pattern::parse(&raw)?;
            if let Some(other) = built.iter().find(|other| other.pattern.same_paths(&pattern)) {
                return Err(Error::Duplicate { first: other.raw.clone(), second: raw });
            }
            built.push(Route { raw, target, pattern });
        }
        built.sort_by_key(|route| route.pattern.precedence());
        Ok(Self { routes: built })
    }

    /// The route for `path`, which is the path of a request's URI.
    pub(crate) fn find<'a>(&'a self, path: &'a str) -> Option<Match<'a, T>> {
        self.routes.iter().find_map(|route| {
            let (rest, params) = route.pattern.take(path)?;
            Some(Match { route, rest, params })
        })
    }
}

impl<T> Route<T> {
    /// The pattern without its trailing `/...`.
    pub(crate) fn prefix(&self) -> &str {
        self.raw.strip_suffix("/...").unwrap_or(&self.raw)
    }
}

impl Pattern {
    fn parse(raw: &str) -> Result<Self, Error> {
        let refuse = |reason| Error::Pattern { route: raw.to_owned(), reason };
        let Some(path) = raw.strip_prefix('/') else {
            return Err(refuse("it does not start with /"));
        };
        let (path, open) = match path.strip_suffix("...") {
            Some(path) if path.is_empty() || path.ends_with('/') => (path, true),
            Some(_) => return Err(refuse("... replaces whole segments and follows a /")),
            None => (path, false),
        };
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = Vec::new();
        for segment in path.split('/').filter(|_| !path.is_empty()) {
            segments.push(match segment.strip_prefix(':') {
                Some(name) if !is_param_name(name) => {
                    return Err(refuse("a :name consists of letters, digits, - and _, and starts with a letter"));
                }
                Some(name) if segments.contains(&Segment::Param(name.to_owned())) => {
                    return Err(refuse("a :name occurs twice"));
                }
                Some(name) => Segment::Param(name.to_owned()),
                None if segment.is_empty() => return Err(refuse("a segment is empty")),
                None if segment.contains('*') || segment.contains("...") => {
                    return Err(refuse("a wildcard is written /... and is at the end"));
                }
                None => Segment::Literal(segment.to_owned()),
            });
        }
        Ok(Self { segments, open })
    }

    /// A key that sorts the more specific of two patterns that match one path first. A path that is used up is matched
    /// by an exact pattern or by an open one; exact is more specific.
    fn precedence(&self) -> Vec<u8> {
        let ranks = self.segments.iter().map(|segment| match segment {
            Segment::Literal(_) => 1,
            Segment::Param(_) => 2,
        });
        ranks.chain([if self.open { 3 } else { 0 }]).collect()
    }

    fn same_paths(&self, other: &Self) -> bool {
        let literals = |pattern: &Self| {
            let literal = |segment: &Segment| match segment {
                Segment::Literal(text) => Some(text.clone()),
                Segment::Param(_) => None,
            };
            pattern.segments.iter().map(literal).collect::<Vec<_>>()
        };
        self.open == other.open && literals(self) == literals(other)
    }

    /// The rest and the parameters, if the pattern matches. A trailing slash of the path matters only to the rest.
    fn take<'a>(&'a self, path: &'a str) -> Option<(String, Vec<(&'a str, &'a str)>)> {
        let trimmed = path.trim_matches('/');
        let mut given = trimmed.split('/').filter(|_| !trimmed.is_empty());
        let mut params = Vec::new();
        for segment in &self.segments {
            let text = given.next()?;
            match segment {
                Segment::Literal(literal) if literal == text => {}
                Segment::Literal(_) => return None,
                Segment::Param(_) if text.is_empty() => return None,
                Segment::Param(name) => params.push((name.as_str(), text)),
            }
        }
        let rest: Vec<&str> = given.collect();
        if !self.open {
            return rest.is_empty().then(|| (String::new(), params));
        }
        let mut taken: String = rest.iter().flat_map(|segment| ["/", segment]).collect();
        if path.ends_with('/') {
            taken.push('/');
        }
        Some((taken, params))
    }
}

fn is_param_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(patterns: &[&str]) -> Result<Router<()>, Error> {
        Router::new(patterns.iter().map(|pattern| ((*pattern).to_owned(), ())))
    }

    #[test]
    fn the_most_specific_route_wins() {
        let patterns = ["/...", "/a/...", "/a/b", "/a/:id", "/a/:id/...", "/a/:id/b/...", "/a/c/...", "/x"];
        let mut reversed = patterns;
        reversed.reverse();
        let cases = [
            ("/", "/..."),
            ("/zzz", "/..."),
            ("/x", "/x"),
            ("/x/", "/x"),
            ("/x/y", "/..."),
            ("/a", "/a/..."),
            ("/a/", "/a/..."),
            ("/a/b", "/a/b"),
            ("/a/q", "/a/:id"),
            ("/a/q/z", "/a/:id/..."),
            ("/a/q/b", "/a/:id/b/..."),
            ("/a/q/b/c/d", "/a/:id/b/..."),
            ("/a/c", "/a/c/..."),
            ("/a/c/d", "/a/c/..."),
            ("/ab", "/..."),
        ];
        for patterns in [patterns, reversed] {
            let router = router(&patterns).unwrap();
            for (path, expected) in cases {
                assert_eq!(router.find(path).unwrap().route.raw, expected, "{path}");
            }
        }
    }

    #[test]
    fn a_call_on_a_scan_is_told_from_what_is_below_scans() {
        let patterns =
            ["/p/:project/...", "/p/:project/scans/...", "/p/:project/scans", "/p/:project/scans/:scan/replay"];
        let router = router(&patterns).unwrap();
        let cases = [
            ("/p/shop/scans", "/p/:project/scans"),
            ("/p/shop/scans/1", "/p/:project/scans/..."),
            ("/p/shop/scans/1/replay", "/p/:project/scans/:scan/replay"),
            ("/p/shop/scans/1/replay/", "/p/:project/scans/:scan/replay"),
            ("/p/shop/scans/1/replay/2", "/p/:project/scans/..."),
            ("/p/shop/scans/replay", "/p/:project/scans/..."),
            ("/p/shop/scans/1/issues", "/p/:project/scans/..."),
            ("/p/shop/targets/scans/1/replay", "/p/:project/..."),
            ("/p/scans/scans/scans/replay", "/p/:project/scans/:scan/replay"),
        ];
        for (path, expected) in cases {
            assert_eq!(router.find(path).unwrap().route.raw, expected, "{path}");
        }
    }

    #[test]
    fn what_no_pattern_covers_is_not_found() {
        let router = router(&["/a", "/b/:id", "/c/:id/d"]).unwrap();
        for path in ["/", "/A", "/a/x", "/b", "/b/", "/b//", "/b/1/2", "/c/1", "/c//d", "/%61"] {
            assert!(router.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_rest_keeps_its_slashes_and_parameters_their_names() {
        type Params = &'static [(&'static str, &'static str)];
        let cases: &[(&str, &str, &str, Params)] = &[
            ("/a/...", "/a", "", &[]),
            ("/a/...", "/a/", "/", &[]),
            ("/a/...", "/a/b", "/b", &[]),
            ("/a/...", "/a/b/", "/b/", &[]),
            ("/...", "/", "/", &[]),
            ("/...", "/b/c", "/b/c", &[]),
            ("/a", "/a", "", &[]),
            ("/a/:x/b/:y/...", "/a/1/b/2/c/d", "/c/d", &[("x", "1"), ("y", "2")]),
        ];
        for (pattern, path, rest, params) in cases {
            let router = router(&[pattern]).unwrap();
            let found = router.find(path).unwrap();
            assert_eq!((found.rest.as_str(), found.params.as_slice()), (*rest, *params), "{pattern} {path}");
        }
    }

    #[test]
    fn routes_that_cannot_be_served_are_refused_by_name() {
        let cases: &[(&[&str], &str)] = &[
            (&["/a", "/a"], "the routes \"/a\" and \"/a\" match the same paths"),
            (&["/a", "/a/"], "the routes \"/a\" and \"/a/\" match the same paths"),
            (&["/:x/b", "/:y/b"], "the routes \"/:x/b\" and \"/:y/b\" match the same paths"),
            (&["/a/...", "/a/..."], "the routes \"/a/...\" and \"/a/...\" match the same paths"),
            (
                &["/.well-known/spin/x"],
                "the route \"/.well-known/spin/x\" is below /.well-known/spin, which the host answers itself",
            ),
            (&["a"], "the route \"a\" is not a pattern: it does not start with /"),
            (&["/a..."], "the route \"/a...\" is not a pattern: ... replaces whole segments and follows a /"),
            (&["/a/.../b"], "the route \"/a/.../b\" is not a pattern: a wildcard is written /... and is at the end"),
            (&["/a//b"], "the route \"/a//b\" is not a pattern: a segment is empty"),
            (&["/:a/:a"], "the route \"/:a/:a\" is not a pattern: a :name occurs twice"),
            (
                &["/:"],
                "the route \"/:\" is not a pattern: a :name consists of letters, digits, - and _, and starts with a letter",
            ),
        ];
        for (patterns, message) in cases {
            assert_eq!(router(patterns).unwrap_err().to_string(), *message, "{patterns:?}");
        }
        assert!(router(&["/a", "/a/...", "/a/:x"]).is_ok());
    }
}
