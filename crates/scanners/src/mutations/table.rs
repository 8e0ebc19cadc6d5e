//! Mutants of tables. Other texts have no nodes.

use super::{Change, Mutant};

pub(super) fn mutants(report: &[u8], all: bool, on: &mut dyn FnMut(Mutant)) {
    let text = String::from_utf8_lossy(report);
    let first = text.lines().next().unwrap_or_default();
    let separators = [b',', b';', b'\t', b'|'];
    let count = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    let Some(separator) = separators.into_iter().max_by_key(count).filter(|separator| count(separator) > 1) else {
        return;
    };
    let reader = csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(report);
    let rows: Vec<Vec<String>> =
        reader.into_records().map_while(Result::ok).map(|record| record.iter().map(str::to_owned).collect()).collect();
    let Some(header) = rows.first().cloned() else { return };
    let mut make = |path: &str, change: Change, edit: &dyn Fn(&mut Vec<Vec<String>>)| {
        let mut changed = rows.clone();
        edit(&mut changed);
        let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
        changed.iter().for_each(|row| writer.write_record(row).unwrap());
        on(Mutant { path: path.to_owned(), change, report: writer.into_inner().unwrap() });
    };
    for (at, name) in header.iter().enumerate() {
        make(name, Change::Rename, &|rows| rows[0][at].push_str(" x"));
        make(name, Change::Remove, &|rows| {
            rows.iter_mut().filter(|row| at < row.len()).for_each(|row| drop(row.remove(at)));
        });
        let last = if all { rows.len() } else { rows.len().min(2) };
        for row in (1..last).filter(|row| at < rows[*row].len()) {
            make(name, Change::Empty, &|rows| rows[row][at].clear());
            make(name, Change::Retype, &|rows| "x".clone_into(&mut rows[row][at]));
        }
    }
}
