//! Moments as people write and read them. Reads no clock.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads a moment: RFC 3339, or a date with or without a time on the local
/// clock; a date alone means its first moment.
pub(super) fn parse(text: &str) -> Result<Timestamp, String> {
    parse_in(text, TimeZone::system())
}

/// The same, on the clock of a zone.
pub(super) fn parse_in(text: &str, zone: TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let civil = text.parse::<DateTime>().and_then(|date| date.to_zoned_datetime(zone));
    let zoned = civil.map_err(|_| {
        format!(
            "{text:?} is no date: give one such as 2026-12-01, \"2026-12-01 18:00\" \
             or 2026-12-01T18:00:00+01:00"
        )
    });
    zoned.map(|zoned| zoned.timestamp())
}

/// A moment on the clock of a zone.
pub(super) fn local(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in ["", "tomorrow", "2026-13-01", "18:00", "2026-12-01 25:00", "1764590400"] {
            assert!(parse_in(bad, TimeZone::UTC).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let moment: Timestamp = "2026-12-01T17:00:00Z".parse().expect("a moment");
        assert_eq!(local(moment, &TimeZone::UTC), "2026-12-01 17:00:00 UTC");
        assert_eq!(parse_in("2026-12-01 17:00:00", TimeZone::UTC), Ok(moment));
    }
}
