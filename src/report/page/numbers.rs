//! Numbers for people.

pub(super) use crate::report::counted;

use crate::report::grouped;

/// A rounded number.
pub(super) fn short(number: f64) -> String {
    match number {
        number if number >= 1e9 => format!("{:.2} G", number / 1e9),
        number if number >= 1e6 => format!("{:.2} M", number / 1e6),
        number if number >= 0.0 => grouped(number as u64),
        _ => "-".to_owned(),
    }
}

/// A rounded time.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 7_200.0 => format!("{:.1} h", seconds / 3_600.0),
        seconds if seconds >= 120.0 => format!("{:.1} min", seconds / 60.0),
        seconds => format!("{seconds:.1} s"),
    }
}

/// A number with at most six decimals.
pub(super) fn plain(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
