//! The flags that say how a file is to be read, and what to take of it.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::feed::{Family, Filter, Format, Reading};

/// The form of the file, and the filters.
#[derive(Args, Debug)]
pub(super) struct Selection {
    /// The form of the file [default: told from its content]
    #[arg(long, value_name = "NAME", value_parser = formats())]
    format: Option<Format>,

    /// Take only what the file says is of this service; repeat for more
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,

    /// Take only what the file says is in this region; repeat for more
    #[arg(long, value_name = "NAME")]
    region: Vec<String>,

    /// Take only what the file gives this tag; repeat for more
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,

    /// Take only IPv4 or only IPv6
    #[arg(long, value_name = "FAMILY", value_parser = families())]
    family: Option<Family>,
}

impl Selection {
    /// How to read the file.
    pub(super) fn reading(&self, force: bool) -> Reading {
        let filter = Filter {
            services: self.service.clone(),
            regions: self.region.clone(),
            tags: self.tag.clone(),
            family: self.family,
        };
        Reading { format: self.format, filter, force }
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|format| PossibleValue::new(format.name()).help(format.title()));
    PossibleValuesParser::new(values).map(|name| {
        let named = Format::ALL.into_iter().find(|format| format.name() == name);
        named.expect("a possible value is the name of a form")
    })
}

fn families() -> impl TypedValueParser<Value = Family> {
    PossibleValuesParser::new(["4", "6"]).map(|name| match name.as_str() {
        "4" => Family::V4,
        _ => Family::V6,
    })
}
