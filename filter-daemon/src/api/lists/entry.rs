//! An entry on the wire, with everything that filterd knows of it.

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access_list::{Address, Entry, EntryFields};
use crate::api::fault::Fault;
use crate::api::listed::given;
use crate::api::wire::{chosen_address, time};
use crate::caller::Caller;
use crate::control::Control;
use crate::id::ObjectId;
use crate::observe::EntryHits;
use crate::reconcile::Phase;

const NO_ADDRESS: &str = "address: is missing: give an IP address or a CIDR, or set use_current";

/// An entry to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryIn {
    #[schema(example = "203.0.113.0/24")]
    address: Option<String>,
    #[serde(default)]
    use_current: bool,
    #[schema(max_length = 1024)]
    comment: Option<String>,
    enabled: Option<bool>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

/// What of an entry is to be different; what is not there stays as it is. An
/// end that is null is taken away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryChange {
    #[schema(example = "203.0.113.0/24")]
    address: Option<String>,
    #[serde(default)]
    use_current: bool,
    #[schema(max_length = 1024)]
    comment: Option<String>,
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Option<Timestamp>>,
}

/// Whether the latest lists are in force, and what time it is.
pub(super) struct Standing {
    status: &'static str,
    now: i64,
}

/// An entry.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryOut<'a> {
    #[serde(rename = "_id")]
    id: ObjectId,
    address: &'a str,
    comment: &'a str,
    enabled: bool,
    expires: Option<String>,
    author: &'a str,
    created: String,
    changed: String,
    status: &'static str,
    /// How many packets it let in; only lists tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits: Option<u64>,
    /// When the last one of them came, if any did.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_hit: Option<String>,
}

impl EntryIn {
    /// The address and what else is said.
    pub(super) fn parts(self, caller: &Caller) -> Result<(Address, EntryFields), Fault> {
        let address =
            chosen_address(self.address.as_deref(), self.use_current, caller.from.address())?;
        let expires = self.expires.map(|end| Some(end.as_second()));
        let fields = EntryFields { comment: self.comment, enabled: self.enabled, expires };
        Ok((address.ok_or_else(|| Fault::parameter(NO_ADDRESS))?, fields))
    }
}

impl EntryChange {
    /// The new address, if there is one, and what else is said.
    pub(super) fn parts(self, caller: &Caller) -> Result<(Option<Address>, EntryFields), Fault> {
        let address =
            chosen_address(self.address.as_deref(), self.use_current, caller.from.address())?;
        let expires = self.expires.map(|end| end.map(Timestamp::as_second));
        Ok((address, EntryFields { comment: self.comment, enabled: self.enabled, expires }))
    }
}

impl Standing {
    /// As it is now.
    pub(super) fn of(control: &Control) -> Self {
        let (status, revision) = (control.status(), control.store().state().revision);
        let applied = status.applied_revision.is_some_and(|applied| applied >= revision);
        let status = match status.phase {
            _ if applied => "applied",
            Phase::NeverRun | Phase::Applying | Phase::Idle => "pending",
            Phase::Degraded(_) => "failed",
        };
        Self { status, now: Timestamp::now().as_second() }
    }
}

impl<'a> EntryOut<'a> {
    pub(super) fn new(entry: &'a Entry, standing: &Standing) -> Self {
        Self {
            id: entry.id,
            address: entry.address.text(),
            comment: &entry.comment,
            enabled: entry.enabled,
            expires: entry.expires.map(time),
            author: &entry.author,
            created: time(entry.id.made().into()),
            changed: time(entry.changed),
            status: match entry.enabled {
                false => "disabled",
                true if entry.has_expired(standing.now) => "expired",
                true => standing.status,
            },
            hits: None,
            last_hit: None,
        }
    }

    /// With what the kernel counted of it, nothing if it was never hit.
    pub(super) fn hit(self, hits: Option<&EntryHits>) -> Self {
        // Worked out from two clocks each time, which agree no further.
        let last = |hits: &EntryHits| {
            let last = Timestamp::try_from(hits.last).unwrap_or_default();
            last.round(Unit::Millisecond).unwrap_or(last)
        };
        let last_hit = hits.map(|hits| last(hits).to_string());
        Self { hits: Some(hits.map_or(0, |hits| hits.packets)), last_hit, ..self }
    }
}
