//! A report as it is sent: from disk, alone or after its sidecar, compressed if that pays, readable more than once, so
//! that a retry sends the same bytes. It is never held in memory.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use api::v1::{REPORT_PART, SOURCE_PART};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::random;

/// A report of at least this size is compressed.
const COMPRESS_BYTES_MIN: u64 = 64 << 10;
/// The server refuses a body that is compressed more than a hundredfold; one that comes near is sent uncompressed.
const COMPRESSION_RATIO_MAX: u64 = 50;
/// The first bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The media type of a body that is only the report.
const BYTES: &str = "application/octet-stream";

/// A report that can be sent repeatedly.
pub(crate) struct ReportBody {
    /// The report as given; true if it is compressed.
    original: (File, bool),
    sent: Packed,
    content_type: String,
}

/// Bytes as they are sent.
struct Packed {
    file: File,
    bytes: u64,
    gzip: bool,
}

impl ReportBody {
    /// The report at `path`; `-` is standard input.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display();
        if path.as_os_str() == "-" {
            return Self::new(spooled(io::stdin().lock())?).context("cannot read the report from standard input");
        }
        let file = File::open(path).with_context(|| format!("cannot open the report {name}"))?;
        let kind = file.metadata()?.file_type();
        let prepared = match (kind.is_dir(), kind.is_file()) {
            (true, _) => anyhow::bail!("the report {name} is a folder"),
            (false, true) => Self::new(file),
            // A pipe can be read only once.
            (false, false) => spooled(file).and_then(Self::new),
        };
        prepared.with_context(|| format!("cannot read the report {name}"))
    }

    /// A report from memory.
    pub(crate) fn from_text(text: &str) -> Result<Self> {
        Ok(Self::new(spooled(text.as_bytes())?)?)
    }

    fn new(file: File) -> io::Result<Self> {
        let mut original = file.try_clone()?;
        let sent = Packed::new(file)?;
        let mut magic = Vec::new();
        original.seek(SeekFrom::Start(0))?;
        Read::by_ref(&mut original).take(2).read_to_end(&mut magic)?;
        Ok(Self { original: (original, magic == GZIP_MAGIC), sent, content_type: BYTES.to_owned() })
    }

    /// A form of a sidecar and then the report.
    pub(crate) fn with_sidecar(self, sidecar: &[u8]) -> Result<Self> {
        let boundary = format!("gatehouse-{}", random::hex::<16>()?);
        let form = || -> io::Result<File> {
            let sidecar = Packed::new(spooled(sidecar)?)?;
            let mut form = io::BufWriter::new(tempfile::tempfile()?);
            for (name, part) in [(SOURCE_PART, &sidecar), (REPORT_PART, &self.sent)] {
                let head = format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"");
                write!(form, "--{boundary}\r\n{head}\r\nContent-Type: {BYTES}\r\n\r\n")?;
                io::copy(&mut part.reader()?, &mut form)?;
                form.write_all(b"\r\n")?;
            }
            write!(form, "--{boundary}--\r\n")?;
            Ok(form.into_inner()?)
        };
        let file = form().context("cannot combine the report and its sidecar")?;
        let bytes = file.metadata()?.len();
        let content_type = format!("multipart/form-data; boundary={boundary}");
        // A compressed part has its own header for that.
        Ok(Self { sent: Packed { file, bytes, gzip: false }, content_type, ..self })
    }

    /// The report as given; true if it is compressed.
    pub(crate) fn original(&self) -> (&File, bool) {
        (&self.original.0, self.original.1)
    }

    /// Number of bytes sent.
    pub(crate) fn bytes(&self) -> u64 {
        self.sent.bytes
    }

    /// True if they are compressed.
    pub(crate) fn gzip(&self) -> bool {
        self.sent.gzip
    }

    /// The media type.
    pub(crate) fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The bytes from the first on.
    pub(crate) fn reader(&self) -> io::Result<impl Read + use<>> {
        self.sent.reader()
    }
}

impl Packed {
    fn new(mut file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        let mut magic = Vec::new();
        Read::by_ref(&mut file).take(2).read_to_end(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        if magic == GZIP_MAGIC {
            return Ok(Self { file, bytes, gzip: true });
        }
        if bytes <= COMPRESS_BYTES_MIN {
            return Ok(Self { file, bytes, gzip: false });
        }
        file.seek(SeekFrom::Start(0))?;
        let mut encoder = GzEncoder::new(tempfile::tempfile()?, Compression::fast());
        io::copy(&mut io::BufReader::with_capacity(1 << 16, &file), &mut encoder)?;
        let compressed = encoder.finish()?;
        let compressed_bytes = compressed.metadata()?.len();
        if bytes / compressed_bytes.max(1) < COMPRESSION_RATIO_MAX {
            return Ok(Self { file: compressed, bytes: compressed_bytes, gzip: true });
        }
        Ok(Self { file, bytes, gzip: false })
    }

    fn reader(&self) -> io::Result<impl Read + use<>> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(io::BufReader::with_capacity(1 << 16, file.take(self.bytes)))
    }
}

fn spooled(mut input: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut input, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8]) -> ReportBody {
        ReportBody::new(spooled(bytes).unwrap()).unwrap()
    }

    fn sent(body: &ReportBody) -> Vec<u8> {
        let mut sent = Vec::new();
        body.reader().unwrap().read_to_end(&mut sent).unwrap();
        assert_eq!(u64::try_from(sent.len()).unwrap(), body.bytes());
        sent
    }

    /// Text that compresses to about a quarter.
    fn text(bytes: u64) -> Vec<u8> {
        let line = |n: u64| format!("{:08x}", n.wrapping_mul(0x9e37_79b9)).into_bytes();
        (0..).flat_map(line).take(usize::try_from(bytes).unwrap()).collect()
    }

    #[test]
    fn a_small_report_is_sent_as_it_is() {
        for bytes in [0, 1, COMPRESS_BYTES_MIN] {
            let body = body(&text(bytes));
            assert!(!body.gzip() && sent(&body) == text(bytes), "{bytes}");
        }
    }

    #[test]
    fn a_large_report_is_compressed_and_can_be_sent_twice() {
        let text = text(COMPRESS_BYTES_MIN + 1);
        let body = body(&text);
        assert!(body.gzip() && body.bytes() < COMPRESS_BYTES_MIN);
        for _ in 0..2 {
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(sent(&body).as_slice()).read_to_end(&mut read).unwrap();
            assert_eq!(read, text);
        }
    }

    #[test]
    fn a_report_that_the_server_would_refuse_as_a_bomb_is_not_compressed() {
        assert!(!body(&vec![b' '; 1 << 20]).gzip());
    }

    #[test]
    fn a_report_with_a_sidecar_is_a_form_with_the_same_bytes_at_every_attempt() {
        let large = text(COMPRESS_BYTES_MIN + 1);
        let form = body(&large).with_sidecar(b"{\"v\":1}\n").unwrap();
        let boundary = form.content_type().strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
        let bytes = sent(&form);
        assert_eq!(bytes, sent(&form), "every attempt sends the same");
        assert!(!form.gzip());
        let head = |name: &str| {
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
        };
        let before = format!("{}{{\"v\":1}}\n\r\n{}", head("source"), head("report"));
        let rest = bytes.strip_prefix(before.as_bytes()).unwrap();
        let report = rest.strip_suffix(format!("\r\n--{boundary}--\r\n").as_bytes()).unwrap();
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(report).read_to_end(&mut read).unwrap();
        assert_eq!(read, large);
    }

    #[test]
    fn the_original_of_a_report_is_kept_beside_the_body() {
        let large = text(COMPRESS_BYTES_MIN + 1);
        let report = body(&large);
        let (mut file, gzip) = report.original();
        let mut read = Vec::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_end(&mut read).unwrap();
        assert!(read == large && !gzip && report.gzip());
        assert!(body(&[0x1f, 0x8b, 8, 0]).original().1);
    }

    #[test]
    fn a_compressed_report_is_not_compressed_again() {
        let body = body(&[0x1f, 0x8b, 8, 0]);
        assert!(body.gzip());
        assert_eq!(sent(&body), [0x1f, 0x8b, 8, 0]);
    }
}
