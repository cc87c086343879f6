//! Filters by what a feed says of an address, and by family.

use std::collections::BTreeSet;
use std::fmt;

use super::format::Format;

/// As many known values as this are shown in full.
const MOST_SHOWN: usize = 40;

/// How many of more are shown.
const NEAREST_SHOWN: usize = 5;

/// Something that a feed may say of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notion {
    /// What runs there.
    Service,
    /// Where that is.
    Region,
    /// A name that the feed gives to a group of addresses.
    Tag,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// What to take of a feed. Of several values of one kind any will do; the
/// kinds must all fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Services, whatever their case.
    pub services: Vec<String>,
    /// Regions, whatever their case.
    pub regions: Vec<String>,
    /// Tags, whatever their case.
    pub tags: Vec<String>,
    /// The one family.
    pub family: Option<Family>,
}

/// Why a filter does not fit a feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The form of the feed has no such notion.
    #[error("{flag}: {title} ({name}) says nothing of a {word}; {}", .others, flag = .notion.flag(), word = .notion.word(), title = .format.title(), name = .format.name())]
    NotSaid {
        /// What was asked for.
        notion: Notion,
        /// Of what.
        format: Format,
        /// What can be asked for instead.
        others: String,
    },
    /// Nothing in the feed has the value.
    #[error("{} {value:?} is not in this feed; {known}", .notion.flag())]
    Unknown {
        /// What was asked for.
        notion: Notion,
        /// The value.
        value: String,
        /// What there is.
        known: String,
    },
    /// Every value is there, but not together.
    #[error(
        "nothing in this feed fits all of the filter ({0}): each part of it fits something, but never the same address"
    )]
    Nothing(String),
}

/// What a feed says of one address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Says<'s> {
    pub(super) services: &'s [&'s str],
    pub(super) regions: &'s [&'s str],
    pub(super) tags: &'s [&'s str],
}

/// The values that were seen, of what is filtered by.
#[derive(Debug, Default)]
pub(super) struct Known {
    services: BTreeSet<String>,
    regions: BTreeSet<String>,
    tags: BTreeSet<String>,
}

impl Notion {
    const ALL: [Self; 3] = [Self::Service, Self::Region, Self::Tag];

    /// Its name in a sentence.
    fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Region => "region",
            Self::Tag => "tag",
        }
    }

    /// The flag that filters by it.
    fn flag(self) -> &'static str {
        match self {
            Self::Service => "--service",
            Self::Region => "--region",
            Self::Tag => "--tag",
        }
    }
}

impl Filter {
    /// Whether a feed of a form can be filtered so.
    pub(super) fn check(&self, format: Format) -> Result<(), FilterError> {
        let unsaid = |notion: &Notion| {
            !self.values(*notion).is_empty() && !format.notions().contains(notion)
        };
        match Notion::ALL.into_iter().find(unsaid) {
            None => Ok(()),
            Some(notion) => {
                let flags: Vec<_> = format.notions().iter().map(|other| other.flag()).collect();
                let others = match flags.is_empty() {
                    true => "it can be filtered by --family alone".to_owned(),
                    false => format!("it can be filtered by {}", flags.join(", ")),
                };
                Err(FilterError::NotSaid { notion, format, others })
            }
        }
    }

    /// Whether an address is taken, as far as it depends on what is said of it.
    pub(super) fn takes(&self, says: Says<'_>) -> bool {
        Notion::ALL.into_iter().all(|notion| {
            let wanted = self.values(notion);
            wanted.is_empty() || says.values(notion).iter().any(|value| holds(wanted, value))
        })
    }

    /// What is wrong with a filter that a whole feed was held against.
    pub(super) fn judge(&self, known: &Known, taken: usize) -> Result<(), FilterError> {
        for notion in Notion::ALL {
            let values = known.values(notion);
            let unknown = self.values(notion).iter().find(|wanted| !is_known(values, wanted));
            if let Some(value) = unknown {
                let (value, known) = (value.clone(), listing(values, value, notion));
                return Err(FilterError::Unknown { notion, value, known });
            }
        }
        match taken == 0 && *self != Self::default() {
            true => Err(FilterError::Nothing(self.to_string())),
            false => Ok(()),
        }
    }

    fn values(&self, notion: Notion) -> &[String] {
        match notion {
            Notion::Service => &self.services,
            Notion::Region => &self.regions,
            Notion::Tag => &self.tags,
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for notion in Notion::ALL {
            for value in self.values(notion) {
                write!(f, "{separator}{} {value}", notion.flag())?;
                separator = " ";
            }
        }
        match self.family {
            None => Ok(()),
            Some(Family::V4) => write!(f, "{separator}--family 4"),
            Some(Family::V6) => write!(f, "{separator}--family 6"),
        }
    }
}

impl<'s> Says<'s> {
    fn values(self, notion: Notion) -> &'s [&'s str] {
        match notion {
            Notion::Service => self.services,
            Notion::Region => self.regions,
            Notion::Tag => self.tags,
        }
    }
}

impl Known {
    /// Remembers what is said of an address, where the filter asks for it.
    pub(super) fn learn(&mut self, says: Says<'_>, filter: &Filter) {
        for notion in Notion::ALL {
            if filter.values(notion).is_empty() {
                continue;
            }
            let set = match notion {
                Notion::Service => &mut self.services,
                Notion::Region => &mut self.regions,
                Notion::Tag => &mut self.tags,
            };
            for value in says.values(notion) {
                if !value.is_empty() && !set.contains(*value) {
                    set.insert((*value).to_owned());
                }
            }
        }
    }

    fn values(&self, notion: Notion) -> &BTreeSet<String> {
        match notion {
            Notion::Service => &self.services,
            Notion::Region => &self.regions,
            Notion::Tag => &self.tags,
        }
    }
}

fn holds(wanted: &[String], value: &str) -> bool {
    wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
}

fn is_known(known: &BTreeSet<String>, wanted: &str) -> bool {
    known.iter().any(|value| value.eq_ignore_ascii_case(wanted))
}

/// All known values, or the nearest of very many.
fn listing(known: &BTreeSet<String>, wanted: &str, notion: Notion) -> String {
    if known.is_empty() {
        return format!("it names no {}", notion.word());
    }
    let mut values: Vec<&str> = known.iter().map(String::as_str).collect();
    if values.len() <= MOST_SHOWN {
        return format!("there are {}", values.join(", "));
    }
    let wanted = wanted.to_ascii_lowercase();
    values.sort_by_cached_key(|value| {
        let value = value.to_ascii_lowercase();
        let apart = strsim::damerau_levenshtein(&value, &wanted);
        (!value.contains(&wanted), apart)
    });
    let count = values.len();
    values.truncate(NEAREST_SHOWN);
    format!("the nearest of its {count} are {}", values.join(", "))
}
