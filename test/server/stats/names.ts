/**
 * Every name that memcached's `stats` have or ours do, and what is behind it. `names.test.ts` holds this against the
 * replies of both, and docs/PROTOCOL.md against the lists of what is absent or always zero.
 *
 * memcached's are those of 1.6.18, as Debian's answers, and of 1.6.45. In names of classes and connections the number is `*`.
 */

/** Names with the same reason. */
export interface Group {
  readonly names: readonly string[]
  readonly why: string
}

export interface Names {
  /** Counts from the start, or from the last `stats reset`. */
  readonly counted: readonly string[]
  /** What is so now, or was set at the start. */
  readonly state: readonly string[]
  /** There, and always 0: it cannot happen. */
  readonly zero: readonly Group[]
  /** memcached's alone. */
  readonly absent: readonly Group[]
  /** Ours alone: counted, or so now. */
  readonly ours: readonly string[]
}

const words = (text: string) => text.trim().split(/\s+/)
const group = (why: string, text: string): Group => ({ names: words(text), why })

const general: Names = {
  counted: words(`
    total_connections rejected_connections cmd_get cmd_set cmd_flush cmd_touch cmd_meta get_hits get_misses get_expired
    delete_misses delete_hits incr_misses incr_hits decr_misses decr_hits cas_misses cas_hits cas_badval touch_hits
    touch_misses store_too_large store_no_memory auth_cmds auth_errors bytes_read bytes_written conn_yields
    log_worker_dropped log_worker_written log_watcher_skipped log_watcher_sent total_items expired_unfetched
    evicted_unfetched evicted_active evictions reclaimed crawler_reclaimed crawler_items_checked direct_reclaims`),
  state: words(`
    pid uptime time version libevent pointer_size rusage_user rusage_system max_connections curr_connections
    connection_structures limit_maxbytes accepting_conns threads hash_power_level hash_bytes log_watchers bytes curr_items`),
  zero: [
    group('a flush drops the items itself, so that no get ever finds one', 'get_flushed'),
    group(
      'who is too many is refused (`rejected_connections`); the listener goes on, as memcached’s does unless told otherwise',
      'listen_disabled_num time_in_listen_disabled_us',
    ),
    group('the index grows a page at a time', 'hash_is_expanding'),
  ],
  absent: [
    group(
      'a thread reads into one buffer and replies from another, of fixed size',
      'response_obj_oom response_obj_count response_obj_bytes read_buf_count read_buf_bytes read_buf_bytes_free read_buf_oom',
    ),
    group(
      'there are no slab pages to move',
      `slab_reassign_rescues slab_reassign_chunk_rescues slab_reassign_evictions_nomem slab_reassign_inline_reclaim
      slab_reassign_busy_items slab_reassign_busy_deletes slab_reassign_busy_nomem slab_reassign_last_busy_status
      slab_reassign_running slabs_moved slab_global_page_pool`,
    ),
    group(
      'there are no LRU lists',
      'lru_maintainer_juggles lrutail_reflocked moves_to_cold moves_to_warm moves_within_lru lru_bumps_dropped',
    ),
    group('the sweep of what has expired is always under way', 'lru_crawler_running lru_crawler_starts'),
    group('of memcached’s inside', 'reserved_fds malloc_fails unexpected_napi_ids round_robin_fallback'),
  ],
  ours: words(`
    incarnation lock_state lock_grace_ms internal_errors idle_kicks compacted_items promoted_items repairs repair_dropped
    hand_overs waits waits_timed_out waits_refused waits_abandoned pinned_items pinned_bytes waiters waiters_max bound_items
    index_bytes free_bytes garbage_bytes small_queue_bytes main_queue_bytes stripes page_bytes`),
}

const settings: Names = {
  counted: [],
  state: words(`
    maxbytes maxconns tcpport udpport inter verbosity evictions domain_socket umask shutdown_command num_threads
    stat_key_prefix detail_enabled reqs_per_event cas_enabled tcp_backlog binding_protocol auth_enabled_sasl
    auth_enabled_ascii item_size_max maxconns_fast lru_crawler flush_enabled dump_enabled idle_timeout watcher_logbuf_size
    worker_logbuf_size track_sizes ssl_enabled memory_file`),
  zero: [],
  absent: [
    group('a flush drops the items itself', 'oldest'),
    group('there is no UDP', 'num_threads_per_udp'),
    group(
      'there are no slab classes',
      'growth_factor chunk_size slab_reassign slab_automove slab_automove_ratio slab_automove_window slab_automove_freeratio slab_chunk_max',
    ),
    group(
      'there are no LRU lists',
      'lru_maintainer_thread lru_segmented hot_lru_pct warm_lru_pct hot_max_factor warm_max_factor temp_lru temporary_ttl tail_repair_time',
    ),
    group('the sweep has a pace of its own', 'lru_crawler_sleep lru_crawler_tocrawl'),
    group('the index finds its size by itself', 'hashpower_init hash_algorithm'),
    group(
      'nothing is kept on a second storage',
      [
        'ext_item_size ext_item_age ext_low_ttl ext_recache_rate ext_wbuf_size ext_compact_under ext_drop_under',
        'ext_max_sleep ext_max_frag ext_drop_unread',
      ].join(' '),
    ),
    group(
      'told with TLS (`-Z`), but for `ssl_wbuf_size`: its buffers are the library’s',
      `ssl_chain_cert ssl_key ssl_verify_mode ssl_keyformat ssl_ciphers ssl_ca_cert ssl_wbuf_size ssl_session_cache
      ssl_kernel_tls ssl_min_version`,
    ),
    group('of memcached’s inside', 'inline_ascii_response read_buf_mem_limit num_napi_ids'),
  ],
  ours: words('state_dir max_lease pinned_prefixes'),
}

const items: Names = {
  counted: words(`
    items:*:evicted items:*:evicted_nonzero items:*:outofmemory items:*:reclaimed items:*:expired_unfetched
    items:*:evicted_unfetched items:*:evicted_active items:*:crawler_reclaimed`),
  state: words('items:*:number items:*:age items:*:mem_requested items:*:evicted_time'),
  zero: [],
  absent: [
    group(
      'there are no LRU lists',
      `items:*:number_hot items:*:number_warm items:*:number_cold items:*:number_temp items:*:age_hot items:*:age_warm
      items:*:lrutail_reflocked items:*:moves_to_cold items:*:moves_to_warm items:*:moves_within_lru items:*:hits_to_hot
      items:*:hits_to_warm items:*:hits_to_cold items:*:hits_to_temp`,
    ),
    group('counted over all classes: see `stats`', 'items:*:crawler_items_checked items:*:direct_reclaims'),
    group('nothing leaks references', 'items:*:tailrepairs'),
  ],
  ours: ['items:*:size_max'],
}

const slabs: Names = {
  counted: words('*:get_hits *:cmd_set *:delete_hits *:incr_hits *:decr_hits *:cas_hits *:cas_badval *:touch_hits'),
  state: words('*:chunk_size *:used_chunks *:total_pages active_slabs total_malloced'),
  zero: [],
  absent: [
    group(
      'an item takes what it needs, and nothing is cut beforehand',
      '*:chunks_per_page *:total_chunks *:free_chunks *:free_chunks_end',
    ),
  ],
  ours: [],
}

const conns: Names = {
  counted: [],
  state: words('*:addr *:listen_addr *:state *:secs_since_last_cmd'),
  zero: [],
  absent: [],
  ours: [],
}

/** By what follows `stats` on the line. */
export const statNames: Readonly<Record<string, Names>> = { '': general, settings, items, slabs, conns }

/** Those that are told only once there is something to tell, and of which 1.6.18 in the test has nothing. */
export const later = new Set(['slab_reassign_busy_nomem', 'slab_reassign_last_busy_status', 'items:*:number_temp'])
