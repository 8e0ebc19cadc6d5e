//! A table of the differences between the embedded host and Spin: their answers where neither the API nor WASI defines
//! one.

use crate::app::{App, spin};

/// A request that the two hosts answer differently.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// The subject of the difference.
    pub what: &'static str,
    /// The request's head, without the blank line that ends it.
    pub head: &'static [u8],
    /// The embedded host's status.
    pub embedded: &'static str,
    /// The statuses that Spin may answer with; an empty one means that the connection closes without an answer.
    pub spin: &'static [&'static str],
}

/// Every known difference.
pub const DIFFERENCES: [Difference; 4] = [
    Difference {
        what: "a path without a route: a problem here, an empty body on Spin",
        head: b"GET /api/v1/none HTTP/1.1\r\nhost: x",
        embedded: "404",
        spin: &["404"],
    },
    Difference {
        what: "a header that is not UTF-8",
        head: b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: x\r\nx-name: \xff",
        embedded: "200",
        spin: &["200", "400", "500", ""],
    },
    Difference {
        what: "no `Host`",
        head: b"GET /api/v1/openapi.json HTTP/1.1",
        embedded: "200",
        spin: &["200", "400", "500", ""],
    },
    Difference {
        what: COMPONENT_AS_HOST,
        head: b"GET /api/v1/openapi.json HTTP/1.1\r\nhost: ledger.spin.internal",
        embedded: "200",
        spin: &["200", "400", "404", "421", ""],
    },
];

/// The subject of a request whose `Host` names a component.
pub const COMPONENT_AS_HOST: &str = "a `Host` that names a component";

impl Difference {
    /// The row of the table about this subject.
    pub fn about(what: &str) -> Self {
        *DIFFERENCES.iter().find(|difference| difference.what == what).unwrap()
    }

    /// True if the host under test may answer with this status; an empty one is a connection that closed.
    pub fn allows(&self, status: &str) -> bool {
        if spin().is_some() { self.spin.contains(&status) } else { self.embedded == status }
    }

    /// Sends the request and returns the status; an empty one if the connection closed without an answer.
    pub fn status(&self, app: &App) -> String {
        let request = [self.head, b"\r\nconnection: close\r\n\r\n"].concat();
        app.raw(&request, false).get(9..12).unwrap_or_default().to_owned()
    }
}
