/**
 * The schema, as steps: a store at version n has seen the first n. A step that was
 * released never changes.
 *
 * - A row of `content` says: this blob is complete, verified and on the disk.
 * - A row of `ingests` says who fetches a blob right now.
 * - `snapshots.state`: `creating` belongs to `owner` alone, `ready` may be used, `removing`
 *   is being taken down. What a dead owner left is undone by the next command.
 * - `chain_id` is set on unpacked image layers, so that one chain has one snapshot a driver.
 * - `image_mounts`: images that somebody mounted on the host, until the next reboot.
 * - `thin_devices`: which device of a device-mapper pool a snapshot is; ids are 24 bits wide.
 * - `containers.ready` is 0 while `owner` makes the container; `starter` is the process that
 *   starts it, or started it last; `stop_asked` keeps restart policies from it.
 *   `restarts_in_row` counts restarts since it last ran steadily; `last_exit` is how it ended
 *   before the start that somebody is at or was cut off in.
 * - `network_members` and `published_ports` belong to containers that run or are being
 *   started: whoever sees that one has ended frees them.
 * - `volumes.state` is as that of snapshots. `volume_uses.anonymous`: the container named no
 *   volume there, so this one may go with it.
 * - `networks.up` says where a network's bridge was made (boot, namespace, version of the
 *   rules); `last_address` is the address given out most recently; `published_ports.target`
 *   the container's address that a port leads to.
 * - Of `events` the last 10,000 are kept.
 * - A lease keeps content and snapshots from collection while its owner lives.
 */
export const MIGRATIONS: readonly string[] = [
  `
  create table content (
    digest text primary key,
    size integer not null,
    state text not null default 'ready' check (state in ('ready', 'removing'))
  ) without rowid;

  create table ingests (
    digest text primary key,
    owner text not null
  ) without rowid;

  create table manifests (
    digest text primary key,
    media_type text not null,
    config_digest text not null,
    config text not null,
    created text,
    architecture text not null,
    os text not null,
    variant text,
    size integer not null,
    chain_id text not null
  ) without rowid;

  create table manifest_layers (
    manifest text not null references manifests (digest) on delete cascade,
    position integer not null,
    digest text not null,
    size integer not null,
    media_type text not null,
    diff_id text not null,
    chain_id text not null,
    primary key (manifest, position)
  ) without rowid;
  create index manifest_layers_digest on manifest_layers (digest);
  create index manifest_layers_chain on manifest_layers (chain_id);
  create index manifests_config on manifests (config_digest);

  create table images (
    name text primary key,
    manifest text not null references manifests (digest),
    target text not null,
    updated text not null
  ) without rowid;
  create index images_manifest on images (manifest);

  create table snapshots (
    id text primary key,
    driver text not null,
    kind text not null check (kind in ('committed', 'active', 'view')),
    parent text references snapshots (id),
    chain_id text,
    state text not null check (state in ('creating', 'ready', 'removing')),
    owner text,
    created text not null,
    bytes integer not null default 0,
    inodes integer not null default 0,
    accounts text
  ) without rowid;
  create unique index snapshots_chain on snapshots (driver, chain_id) where chain_id is not null;
  create index snapshots_parent on snapshots (parent);

  create table containers (
    id text primary key,
    name text not null unique,
    image text not null,
    manifest text not null,
    snapshot text not null references snapshots (id),
    created text not null,
    auto_remove integer not null,
    owner text not null,
    options text not null,
    started text,
    exit text
  ) without rowid;
  create index containers_manifest on containers (manifest);

  create table leases (
    id text primary key,
    owner text not null
  ) without rowid;
  create table lease_holds (
    lease text not null references leases (id) on delete cascade,
    kind text not null check (kind in ('content', 'chain', 'manifest')),
    ref text not null,
    primary key (lease, kind, ref)
  ) without rowid;
  `,
  `
  create table pools (
    name text primary key,
    driver text not null,
    file text not null,
    size integer not null,
    state text not null check (state in ('creating', 'ready', 'removing')),
    owner text,
    created text not null,
    options text not null default '{}'
  ) without rowid;

  create table image_mounts (
    path text primary key,
    snapshot text not null references snapshots (id),
    image text not null,
    created text not null
  ) without rowid;
  create index image_mounts_snapshot on image_mounts (snapshot);

  create table thin_devices (
    pool text not null,
    device integer not null,
    snapshot text not null unique,
    primary key (pool, device)
  ) without rowid;
  `,
  `
  alter table containers add column ready integer not null default 1;
  alter table containers add column starter text;
  alter table containers add column restarts integer not null default 0;
  alter table containers add column stop_asked integer not null default 0;

  create table networks (
    name text primary key,
    id text not null unique,
    driver text not null,
    bridge text not null unique,
    subnet text,
    gateway text,
    subnet6 text,
    gateway6 text,
    internal integer not null default 0,
    mtu integer,
    last_address text,
    up text,
    options text not null default '{}',
    labels text not null default '{}',
    created text not null
  ) without rowid;

  create table network_members (
    network text not null references networks (name),
    container text not null references containers (id) on delete cascade,
    address text,
    address6 text,
    mac text not null,
    interface text not null,
    hostname text not null default '',
    aliases text not null default '[]',
    primary key (network, container)
  ) without rowid;
  create unique index network_members_address on network_members (network, address);
  create unique index network_members_address6 on network_members (network, address6);

  create table published_ports (
    host_address text not null,
    host_port integer not null,
    protocol text not null,
    container text not null references containers (id) on delete cascade,
    container_port integer not null,
    target text not null,
    primary key (host_address, host_port, protocol)
  ) without rowid;
  create index published_ports_container on published_ports (container);

  create table volumes (
    name text primary key,
    driver text not null default 'local',
    anonymous integer not null default 0,
    state text not null check (state in ('creating', 'ready', 'removing')),
    owner text,
    labels text not null default '{}',
    options text not null default '{}',
    created text not null
  ) without rowid;

  create table volume_uses (
    volume text not null references volumes (name),
    container text not null references containers (id) on delete cascade,
    anonymous integer not null default 0,
    primary key (volume, container)
  ) without rowid;

  create table events (
    number integer primary key autoincrement,
    time text not null,
    type text not null,
    action text not null,
    actor text not null,
    attributes text not null
  );
  `,
  `
  alter table containers add column restarts_in_row integer not null default 0;
  alter table containers add column last_exit text;

  create trigger events_kept after insert on events when new.number % 128 = 0 begin
    delete from events where number <= new.number - 10000;
  end;
  `,
  `
  alter table networks add column ip_range text;
  alter table networks add column ip_range6 text;
  `,
];
