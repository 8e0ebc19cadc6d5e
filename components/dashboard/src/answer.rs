//! Pages as replies: compressed where the browser takes that, under headers that let nothing in from elsewhere.

use api::Problem;
use flate2::Compression;
use flate2::write::GzEncoder;
use guest::Reply;
use maud::Markup;
use std::io::Write as _;

/// Nothing is loaded but from here, no script or style stands in a page itself, and no other page may frame one (CSP 3).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// From how many bytes on a page is compressed.
const PACKED_FROM: usize = 1024;

/// What every page is sent with.
fn headers() -> Vec<(&'static str, String)> {
    [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("vary", "accept-encoding"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// A page.
pub(crate) fn page(status: u16, markup: Markup) -> Reply {
    Reply {
        status,
        media_type: "text/html; charset=utf-8".to_owned(),
        headers: headers(),
        body: markup.into_string().into_bytes(),
    }
}

/// Sends the browser to another page, which it asks for with `GET`.
pub(crate) fn redirect(to: &str) -> Reply {
    let headers = headers().into_iter().chain([("location", to.to_owned())]).collect();
    Reply { status: 303, media_type: "text/plain; charset=utf-8".to_owned(), headers, body: Vec::new() }
}

/// The reply compressed.
///
/// # Errors
/// It can't be, which is our fault.
pub(crate) fn packed(mut reply: Reply) -> Result<Reply, Problem> {
    let is_packed = reply.headers.iter().any(|(name, _)| *name == "content-encoding");
    if is_packed || reply.body.len() < PACKED_FROM {
        return Ok(reply);
    }
    // Fast rather than small: half of what there is to gain comes at a tenth of the price.
    let mut encoder = GzEncoder::new(Vec::with_capacity(reply.body.len() / 4), Compression::fast());
    let body = encoder.write_all(&reply.body).and_then(|()| encoder.finish());
    reply.body = body.map_err(|error| Problem::internal(format!("a page can't be compressed: {error}")))?;
    reply.headers.push(("content-encoding", "gzip".to_owned()));
    Ok(reply)
}

/// Whether a client takes gzip (RFC 9110, section 12.5.3).
pub(crate) fn takes_gzip(accept_encoding: &str) -> bool {
    accept_encoding.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.filter_map(|part| part.strip_prefix("q=")).any(|q| q.parse() == Ok(0.0));
        is_gzip && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_or_not() {
        for yes in ["gzip", "br, GZIP;q=0.5", "deflate, gzip"] {
            assert!(takes_gzip(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip2"] {
            assert!(!takes_gzip(no), "{no}");
        }
    }

    #[test]
    fn small_replies_stay_as_they_are_and_large_ones_shrink() {
        let small = page(200, maud::html! { "x" });
        assert_eq!(packed(small.clone()).unwrap(), small);
        let text = "a page ".repeat(1000);
        let large = packed(page(200, maud::html! { (text) })).unwrap();
        assert!(large.body.len() < 200);
        assert_eq!(packed(large.clone()).unwrap(), large, "and once only");
    }
}
