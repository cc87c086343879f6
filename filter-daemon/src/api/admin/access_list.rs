//! Access lists as existing clients know them.

use std::net::IpAddr;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::ToSchema;

use super::unexpected;
use crate::access_list::{Address, Entry, EntryFields};
use crate::api::admin::find_app;
use crate::api::asker::Asker;
use crate::api::body::Sent;
use crate::api::entries::{self, ListForm};
use crate::api::fault::Fault;
use crate::api::path::{AppPath, EntryPath};
use crate::api::wire::{self, AdminEntry, EntryIn, json};
use crate::caller::Caller;
use crate::command::{Command, NewEntry, Outcome};
use crate::control::Control;

/// An access list.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a list is written piece by piece; this only describes it")]
pub(super) struct AllowedIps<'a> {
    allowed_ips: Vec<AdminEntry<'a>>,
    /// The caller's address, if it has one.
    #[schema(value_type = Option<String>)]
    current_ip: Option<IpAddr>,
}

/// Lists the entries of an access list.
#[utoipa::path(
    get, path = "/groups/{group}/apps/{app}/security/access_list",
    operation_id = "allowedIPAccessListGet", tag = "admin access list",
    params(AppPath),
    responses(
        (status = 200, description = "The entries in the order of their making", body = AllowedIps),
    ),
)]
pub(super) async fn list(
    State(control): State<Control>,
    AppPath(app): AppPath,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    let list = find_app(&control, app)?.list.clone();
    Ok(entries::answer(list, AdminList { current: caller.from.address() }))
}

/// Adds an entry: an address, or the caller's own.
#[utoipa::path(
    post, path = "/groups/{group}/apps/{app}/security/access_list",
    operation_id = "allowedIPAccessListCreate", tag = "admin access list",
    params(AppPath, Asker),
    request_body = EntryIn,
    responses((status = 201, description = "It is on the list", body = AdminEntry)),
)]
pub(super) async fn create(
    State(control): State<Control>,
    AppPath(app): AppPath,
    asker: Asker,
    Sent(new): Sent<EntryIn>,
) -> Result<Response, Fault> {
    let current = asker.caller.from.address();
    let address = address_of(&new, current)?;
    let address = address.map_or_else(|| wire::address(""), Ok)?;
    let fields = EntryFields { comment: new.comment, ..EntryFields::default() };
    let command = Command::CreateEntry { app, entry: NewEntry { address, fields } };
    let (outcome, in_force) = asker.execute(&control, command).await?;
    let answer = entry_answer(outcome, current)?;
    Ok(in_force.with((StatusCode::CREATED, answer)))
}

/// An empty or missing address and a missing comment stay as they are: one
/// client always sends an address, another never sends what did not change.
#[utoipa::path(
    patch, path = "/groups/{group}/apps/{app}/security/access_list/{entry}",
    operation_id = "allowedIPAccessListUpdate", tag = "admin access list",
    params(EntryPath, Asker),
    request_body = EntryIn,
    responses((status = 200, description = "The entry as it is now", body = AdminEntry)),
)]
pub(super) async fn update(
    State(control): State<Control>,
    EntryPath(app, entry): EntryPath,
    asker: Asker,
    Sent(change): Sent<EntryIn>,
) -> Result<Response, Fault> {
    let current = asker.caller.from.address();
    let address = address_of(&change, current)?;
    let fields = EntryFields { comment: change.comment, ..EntryFields::default() };
    let command = Command::UpdateEntry { app, entry, address, fields };
    let (outcome, in_force) = asker.execute(&control, command).await?;
    Ok(in_force.with(entry_answer(outcome, current)?))
}

/// Takes an entry off.
#[utoipa::path(
    delete, path = "/groups/{group}/apps/{app}/security/access_list/{entry}",
    operation_id = "allowedIPAccessListDelete", tag = "admin access list",
    params(EntryPath, Asker),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete(
    State(control): State<Control>,
    EntryPath(app, entry): EntryPath,
    asker: Asker,
) -> Result<Response, Fault> {
    let (_, in_force) = asker.execute(&control, Command::DeleteEntry { app, entry }).await?;
    Ok(in_force.with(StatusCode::NO_CONTENT))
}

/// The address that is sent or meant, if one is; an empty one is none.
fn address_of(sent: &EntryIn, current: Option<IpAddr>) -> Result<Option<Address>, Fault> {
    let text = sent.address.as_deref().filter(|text| !text.trim().is_empty());
    wire::chosen_address(text, sent.use_current == Some(true), current)
}

fn entry_answer(outcome: Outcome, current: Option<IpAddr>) -> Result<Response, Fault> {
    let entry = outcome.into_entry().ok_or_else(unexpected)?;
    Ok(json(&AdminEntry::new(&entry, current)))
}

/// `{"allowed_ips":[…],"current_ip":"…"}`.
struct AdminList {
    current: Option<IpAddr>,
}

impl ListForm for AdminList {
    fn begin(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(br#"{"allowed_ips":["#);
    }

    fn entry(&self, entry: &Entry, text: &mut Vec<u8>) {
        entries::put(text, &AdminEntry::new(entry, self.current));
    }

    fn end(&self, text: &mut Vec<u8>) {
        text.push(b']');
        if let Some(current) = self.current {
            text.extend_from_slice(br#","current_ip":"#);
            entries::put(text, &current);
        }
        text.push(b'}');
    }
}
