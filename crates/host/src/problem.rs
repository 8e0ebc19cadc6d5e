//! The responses the host gives on its own account, as `application/problem+json` (RFC 9457).
//!
//! Each says what to do about it. None repeats what a component or a client said, and none shows internals: those are
//! in the log.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use crate::admission::Share;

/// The reason why the host answers instead of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The request is not one a component can be given.
    BadRequest,
    /// No public route covers the path.
    NoRoute,
    /// The request body is over the limit, in bytes.
    PayloadTooLarge(u64),
    /// The client was waited for too long, this long, for more of the request body.
    BodyTimeout(Duration),
    /// Too many requests are in progress.
    Busy,
    /// Places are free, but not for this party.
    OverShare(Share),
    /// Too many large requests are in progress.
    BusyWithLarge,
    /// The client's network has too many connections.
    TooManyConnections,
    /// The server is shutting down.
    ShuttingDown,
    /// The component did not answer in time.
    RequestTimeout(Duration),
    /// The component trapped, or answered with an error instead of a response.
    ComponentFailed,
    /// The component ended after it was refused more memory than this many bytes.
    ComponentOutOfMemory(usize),
}

impl Problem {
    /// The last part of `type`: stable, for programs.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::NoRoute => "no-route",
            Self::PayloadTooLarge(_) => "payload-too-large",
            Self::BodyTimeout(_) => "body-timeout",
            Self::Busy | Self::BusyWithLarge => "busy",
            Self::OverShare(_) | Self::TooManyConnections => "over-share",
            Self::ShuttingDown => "shutting-down",
            Self::RequestTimeout(_) => "request-timeout",
            Self::ComponentFailed => "component-failed",
            Self::ComponentOutOfMemory(_) => "component-out-of-memory",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::PayloadTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout(_) => StatusCode::REQUEST_TIMEOUT,
            // Not 429: a client that retries is no different from one of a busy server.
            Self::Busy | Self::BusyWithLarge | Self::OverShare(_) | Self::TooManyConnections | Self::ShuttingDown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::RequestTimeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::ComponentFailed => StatusCode::INTERNAL_SERVER_ERROR,
            // Not 503: the same request would meet the same limit again.
            Self::ComponentOutOfMemory(_) => StatusCode::INSUFFICIENT_STORAGE,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is malformed",
            Self::NoRoute => "Nothing is served at this path",
            Self::PayloadTooLarge(_) => "The request body is too large",
            Self::BodyTimeout(_) => "The request body did not arrive",
            Self::Busy | Self::BusyWithLarge => "The server is busy",
            Self::OverShare(_) | Self::TooManyConnections => "The server is busy with others of yours",
            Self::ShuttingDown => "The server is shutting down",
            Self::RequestTimeout(_) => "The request took too long",
            Self::ComponentFailed => "A component failed",
            Self::ComponentOutOfMemory(_) => "A component ran out of memory",
        }
    }

    fn detail(self) -> String {
        match self {
            Self::BadRequest => "Send an origin-form request target and a valid Host header.".to_owned(),
            Self::NoRoute => "Check the path; the application's manifest lists its routes.".to_owned(),
            Self::PayloadTooLarge(bytes) => format!(
                "A request body may have {bytes} bytes as sent. Compress or split it, or ask the operator for a higher limit."
            ),
            Self::Busy => "Too many requests are in progress. Send this one again after a moment.".to_owned(),
            Self::BusyWithLarge => {
                "Too many large requests are in progress, and each keeps a core busy. Send this one again \
                                    after some seconds, and one large request at a time for each project."
                    .to_owned()
            }
            Self::BodyTimeout(limit) => format!(
                "The rest of the request body was waited for longer than {} seconds. Send the request again over a faster \
                 connection, or ask the operator for a higher limit.",
                limit.as_secs_f32()
            ),
            Self::OverShare(share) => {
                let whose = match share {
                    Share::Anonymous => "without a credential",
                    Share::AnonymousClient => "without a credential from your network",
                    Share::Client => "from your network",
                    Share::Credential => "with your credential",
                    Share::Project => "for this project",
                };
                format!(
                    "Too many requests {whose} are in progress, and the other places are kept for others. Send this one \
                     again after a moment, and fewer at a time."
                )
            }
            Self::TooManyConnections => "Your network has too many connections open. Close some, or use them for \
                                         several requests. Send this one again after a moment."
                .to_owned(),
            Self::ShuttingDown => "Nothing was done. Send the request again when the server is back.".to_owned(),
            Self::RequestTimeout(limit) => format!(
                "There was no response within {} seconds, the time to send the request included. Send less at a time, or \
                 ask the operator for a higher limit.",
                limit.as_secs_f32()
            ),
            Self::ComponentFailed => {
                "The request was not completed. The server's log says why; report it to the operator.".to_owned()
            }
            Self::ComponentOutOfMemory(bytes) => format!(
                "The request needed more than the {bytes} bytes a component may use. Send less at a time, or ask the \
                 operator for a higher limit."
            ),
        }
    }

    /// The response.
    pub(crate) fn response(self) -> Response<Bytes> {
        let status = self.status();
        let body = json!({
            "type": format!("urn:gatehouse:problem:{}", self.code()),
            "title": self.title(),
            "status": status.as_u16(),
            "detail": self.detail(),
        });
        let body = Bytes::from(body.to_string());
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let length = HeaderValue::from(response.body().len());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Busy | Self::OverShare(_) | Self::ShuttingDown => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // A large request takes seconds.
            Self::BusyWithLarge => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::TooManyConnections => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            // What is left of the body would be read as the next request.
            Self::PayloadTooLarge(_) | Self::BodyTimeout(_) => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Self::BadRequest
            | Self::NoRoute
            | Self::RequestTimeout(_)
            | Self::ComponentFailed
            | Self::ComponentOutOfMemory(_) => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_an_error_with_a_type_of_its_own() {
        let all = [
            (Problem::BadRequest, 400),
            (Problem::NoRoute, 404),
            (Problem::PayloadTooLarge(7), 413),
            (Problem::BodyTimeout(Duration::from_millis(1500)), 408),
            (Problem::Busy, 503),
            (Problem::OverShare(Share::Client), 503),
            (Problem::ShuttingDown, 503),
            (Problem::RequestTimeout(Duration::from_millis(1500)), 504),
            (Problem::ComponentFailed, 500),
            (Problem::ComponentOutOfMemory(9), 507),
        ];
        let mut types = std::collections::BTreeSet::new();
        for (problem, status) in all {
            let response = problem.response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(body["status"], status);
            assert_eq!(body["type"], format!("urn:gatehouse:problem:{}", problem.code()));
            assert!(types.insert(format!("{} ({status})", problem.code())));
        }
        let documented = include_str!("../../../docs/problems.md")
            .lines()
            .filter_map(|line| line.strip_prefix("### `"))
            .map(|line| line.replace('`', ""))
            .collect();
        assert_eq!(types, documented, "docs/problems.md lists these and no others");
    }

    #[test]
    fn the_detail_names_the_limit() {
        for (problem, limit) in [
            (Problem::PayloadTooLarge(1234), "1234 bytes"),
            (Problem::RequestTimeout(Duration::from_millis(1500)), "1.5 seconds"),
            (Problem::BodyTimeout(Duration::from_millis(2500)), "2.5 seconds"),
            (Problem::ComponentOutOfMemory(99), "99 bytes"),
        ] {
            assert!(problem.detail().contains(limit), "{}", problem.detail());
        }
    }

    #[test]
    fn what_is_worth_retrying_says_when() {
        for problem in [Problem::Busy, Problem::OverShare(Share::Project), Problem::TooManyConnections] {
            assert_eq!(problem.response().headers()[RETRY_AFTER], "1", "{problem:?}");
        }
        assert_eq!(Problem::BusyWithLarge.response().headers()[RETRY_AFTER], "5");
        assert!(!Problem::ComponentFailed.response().headers().contains_key(RETRY_AFTER));
    }
}
