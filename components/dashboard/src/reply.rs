//! HTTP replies with pages: security headers, redirects and compression.

use api::Problem;
use flate2::Compression;
use flate2::write::GzEncoder;
use guest::Reply;
use maud::Markup;
use std::io::Write as _;

/// The content security policy (CSP 3): everything is loaded from this origin, a page contains no inline script or
/// style, and no page can be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The smallest page that is compressed, in bytes.
const COMPRESSED_FROM: usize = 1024;

/// The headers of every page.
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

/// A reply with a page.
pub(crate) fn html(status: u16, markup: Markup) -> Reply {
    Reply {
        status,
        media_type: "text/html; charset=utf-8".to_owned(),
        headers: headers(),
        body: markup.into_string().into_bytes(),
    }
}

/// Redirects the browser to another page, which it requests with `GET`.
pub(crate) fn redirect(to: &str) -> Reply {
    let headers = headers().into_iter().chain([("location", to.to_owned())]).collect();
    Reply { status: 303, media_type: "text/plain; charset=utf-8".to_owned(), headers, body: Vec::new() }
}

/// Compresses a reply, unless it is small or compressed already.
///
/// # Errors
/// The encoder failed: an internal error.
pub(crate) fn compressed(mut reply: Reply) -> Result<Reply, Problem> {
    let is_compressed = reply.headers.iter().any(|(name, _)| *name == "content-encoding");
    if is_compressed || reply.body.len() < COMPRESSED_FROM {
        return Ok(reply);
    }
    // The fast level saves half as much as the best one, in a tenth of the time.
    let mut encoder = GzEncoder::new(Vec::with_capacity(reply.body.len() / 4), Compression::fast());
    let body = encoder.write_all(&reply.body).and_then(|()| encoder.finish());
    reply.body = body.map_err(|error| Problem::internal(format!("a page cannot be compressed: {error}")))?;
    reply.headers.push(("content-encoding", "gzip".to_owned()));
    Ok(reply)
}

/// True if a client accepts gzip (RFC 9110, section 12.5.3).
pub(crate) fn accepts_gzip(accept_encoding: &str) -> bool {
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
    fn gzip_is_used_only_if_it_is_accepted() {
        for yes in ["gzip", "br, GZIP;q=0.5", "deflate, gzip"] {
            assert!(accepts_gzip(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.0", "x-gzip2"] {
            assert!(!accepts_gzip(no), "{no}");
        }
    }

    #[test]
    fn only_large_replies_are_compressed() {
        let small = html(200, maud::html! { "x" });
        assert_eq!(compressed(small.clone()).unwrap(), small);
        let text = "a page ".repeat(1000);
        let large = compressed(html(200, maud::html! { (text) })).unwrap();
        assert!(large.body.len() < 200);
        assert_eq!(compressed(large.clone()).unwrap(), large, "only once");
    }
}
