//! The detection of formats, and the parser of the detected format.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let report: Vec<u8> = std::iter::once(u8::MAX).chain(data.iter().copied()).collect();
    scanners::exercise(&report);
});
