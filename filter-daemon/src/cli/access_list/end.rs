//! Until when an entry lets anybody in: the flags, and what is said of it.

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{RoundMode, Span, Timestamp, TimestampRound, Unit, ZonedDateTime};

use crate::cli::answers::Entry;
use crate::cli::failure::Failure;
use crate::cli::{moment, output};

/// For how long, or until when.
#[derive(Args, Debug)]
pub(super) struct End {
    /// Let in for this long: 30m, 8h, 7d, "2 weeks"
    #[arg(long = "for", value_name = "SPAN", value_parser = span, conflicts_with = "until")]
    span: Option<Span>,

    /// Let in until then: 2026-12-01 or "2026-12-01 18:00" in local time, or
    /// 2026-12-01T18:00:00+01:00; a date alone means its first moment
    #[arg(long, value_name = "DATE", value_parser = moment::parse)]
    until: Option<Timestamp>,
}

impl End {
    /// Whether one is given.
    pub(super) fn is_given(&self) -> bool {
        self.span.is_some() || self.until.is_some()
    }

    /// The end, if one is given; it lies ahead.
    pub(super) fn after(&self, now: &ZonedDateTime) -> Result<Option<Timestamp>, Failure> {
        let end = match (self.span, self.until) {
            (None, None) => return Ok(None),
            (_, Some(until)) => until,
            (Some(span), None) => now
                .checked_add(span)
                .map_err(|_| Failure::usage("--for is too long: give a shorter time"))?
                .timestamp(),
        };
        // The daemon counts whole seconds: nobody gets less than was asked for.
        let to_second = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
        let end = end.round(to_second).unwrap_or(end);
        if end > now.timestamp() {
            return Ok(Some(end));
        }
        let end = moment::local(end, now.time_zone());
        Err(Failure::usage(format!("--until {end} has passed already: give a time to come")))
    }
}

/// Says what keeps an entry from letting anybody in, now or later.
pub(super) fn tell(entry: &Entry) -> Result<(), Failure> {
    let end = entry.expires.as_ref().map(|expires| match expires.parse() {
        Ok(end) => moment::local(end, &TimeZone::system()),
        Err(_) => output::harmless(expires),
    });
    match (entry.enabled, end) {
        (true, None) => Ok(()),
        (true, Some(end)) if &*entry.status == "expired" => {
            output::line(&format!("It lets nobody in: its time was over at {end}"))
        }
        (true, Some(end)) => output::line(&format!("It lets in until {end}")),
        (false, None) => output::line("It is disabled, and lets nobody in until it is enabled"),
        (false, Some(end)) => output::line(&format!(
            "It is disabled, and lets nobody in until it is enabled; its time is over at {end}"
        )),
    }
}

fn span(text: &str) -> Result<Span, String> {
    let form = "give one such as 30m, 8h, 7d or \"2 weeks\"";
    let span: Span = text.parse().map_err(|_| format!("{text:?} is no length of time: {form}"))?;
    match span.is_positive() {
        true => Ok(span),
        false => Err(format!("{text:?} does not lie ahead: {form}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> ZonedDateTime {
        // Not by name: a machine may know no cities.
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("central Europe");
        let now: Timestamp = "2026-03-28T11:00:00.25Z".parse().expect("a moment");
        now.to_zoned_datetime(zone)
    }

    fn end(span: Option<&str>, until: Option<&str>) -> Result<Option<String>, Failure> {
        let zone = now().time_zone().clone();
        let end = End {
            span: span.map(|text| super::span(text).expect("a span")),
            until: until.map(|text| moment::parse_in(text, zone).expect("a moment")),
        };
        Ok(end.after(&now())?.map(|end| end.to_string()))
    }

    #[test]
    fn spans_are_counted_from_now_on_the_local_calendar() {
        for (text, expected) in [
            ("30m", "2026-03-28T11:30:01Z"),
            ("8h", "2026-03-28T19:00:01Z"),
            // The clock is put forward in between: a day has 23 hours.
            ("1d", "2026-03-29T10:00:01Z"),
            ("2 weeks", "2026-04-11T10:00:01Z"),
            ("1d 6h", "2026-03-29T16:00:01Z"),
            ("PT90S", "2026-03-28T11:01:31Z"),
        ] {
            let found = end(Some(text), None).expect(text);
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
        assert_eq!(end(None, None).expect("nothing"), None);
        for bad in ["", "8", "soon", "-8h", "0s", "8h ago"] {
            assert!(span(bad).is_err(), "{bad:?}");
        }
        assert!(end(Some("9000 years"), None).is_err());
    }

    #[test]
    fn dates_are_local_unless_they_say_where() {
        for (text, expected) in [
            ("2026-12-01", "2026-11-30T23:00:00Z"),
            ("2026-12-01 18:00", "2026-12-01T17:00:00Z"),
            ("2026-12-01T18:00:00", "2026-12-01T17:00:00Z"),
            ("2026-12-01T18:00:00Z", "2026-12-01T18:00:00Z"),
            ("2026-12-01T18:00:00-05:00", "2026-12-01T23:00:00Z"),
        ] {
            assert_eq!(end(None, Some(text)).expect(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_end_lies_ahead() {
        let past = end(None, Some("2026-03-28 11:59")).expect_err("it has passed");
        assert!(past.why().contains("2026-03-28 11:59:00 CET"), "{}", past.why());
    }
}
