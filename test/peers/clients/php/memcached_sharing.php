<?php
// ext-memcached: several servers with ketama, a server that is down, processes that race, and persistent connections; on the text
// or the binary protocol.
require __DIR__ . '/checks.php';

function open_client(array $places, array $options = [], ?string $persistent = null): Memcached {
    global $binary;
    $client = new Memcached($persistent);
    if (count($client->getServerList()) > 0) return $client;
    $client->setOptions([Memcached::OPT_BINARY_PROTOCOL => $binary, Memcached::OPT_TCP_NODELAY => true]);
    foreach ($options as $option => $value) $client->setOption($option, $value);
    $client->addServers(array_map('host_and_port', $places));
    return $client;
}

function several_servers(): void {
    global $given;
    $servers = $given['servers'];
    $items = [];
    for ($i = 0; $i < 300; $i++) $items[key_of("m$i")] = $i;
    $distributions = [
        'modula' => [],
        'ketama' => [Memcached::OPT_LIBKETAMA_COMPATIBLE => true],
        'consistent' => [Memcached::OPT_DISTRIBUTION => Memcached::DISTRIBUTION_CONSISTENT],
        'with no delay of blocking' => [Memcached::OPT_NO_BLOCK => true],
    ];
    foreach ($distributions as $name => $options) {
        $client = open_client($servers, $options);
        equal("$name: setMulti", $client->setMulti($items), true);
        equal("$name: getMulti", $client->getMulti(array_keys($items), Memcached::GET_PRESERVE_ORDER), $items);
        $shares = array_map(fn($server) => count(open_client([$server])->getMulti(array_keys($items))), $servers);
        check("$name: each key on one of three", array_sum($shares) === 300 && min($shares) > 20, json_encode($shares));
        $one = $client->getServerByKey(key_of('m0'));
        equal("$name: getServerByKey", open_client(["$one[host]:$one[port]"])->get(key_of('m0')), 0);
        equal("$name: deleteMulti", array_unique(array_values($client->deleteMulti(array_keys($items)))), [true]);
    }
    $client = open_client($servers, $distributions['ketama']);
    equal('by key: set', $client->setMultiByKey('group', [key_of('g1') => 1, key_of('g2') => 2]), true);
    equal('by key: get', $client->getMultiByKey('group', [key_of('g1'), key_of('g2')]), [key_of('g1') => 1, key_of('g2') => 2]);
    $one = $client->getServerByKey('group');
    equal('by key: on one server', count(open_client(["$one[host]:$one[port]"])->getMulti([key_of('g1'), key_of('g2')])), 2);
    equal('by key: add, increment, delete', [$client->addByKey('group', key_of('g1'), 9), $client->incrementByKey('group', key_of('g1')), $client->deleteByKey('group', key_of('g1'))], [false, 2, true]);
    equal('getStats and getVersion of three', [count($client->getStats()), count($client->getVersion())], [3, 3]);
}

function one_server_down(): void {
    global $given;
    $names = array_map(fn($i) => key_of("d$i"), range(0, 59));
    $options = [Memcached::OPT_LIBKETAMA_COMPATIBLE => true, Memcached::OPT_REMOVE_FAILED_SERVERS => true, Memcached::OPT_SERVER_FAILURE_LIMIT => 1, Memcached::OPT_RETRY_TIMEOUT => 600];
    $client = open_client([$given['servers'][0], $given['servers'][1], $given['down']], $options);
    $lost = fn() => count(array_filter($names, fn($name) => !@$client->set($name, 'v')));
    [$first, $then] = [$lost(), $lost()];
    check('one of three down: some keys fail before it is given up', $first > 0 && $first < 60, "$first");
    equal('one of three down: the others take all keys from then on', $then, 0);
    equal('one of three down: all are found', count($client->getMulti($names)), 60);
}

function races(): void {
    global $given;
    $server = [$given['servers'][0]];
    $names = ['swapped', 'guarded', 'counted'];
    foreach ($names as $name) open_client($server)->set(key_of($name), 0);
    in_processes(5, function (int $index) use ($server) {
        $client = open_client($server);
        for ($n = 0; $n < 30; $n++) {
            do $got = $client->get(key_of('swapped'), null, Memcached::GET_EXTENDED);
            while (!$client->cas($got['cas'], key_of('swapped'), $got['value'] + 1));
            $client->increment(key_of('counted'));
        }
        for ($n = 0; $n < 10; $n++) {
            while (!$client->add(key_of('lock'), $index, 60)) usleep(500);
            $client->set(key_of('guarded'), $client->get(key_of('guarded')) + 1);
            $client->delete(key_of('lock'));
        }
    });
    equal('cas, a lock by add, and increment of five processes', open_client($server)->getMulti(array_map('key_of', $names), Memcached::GET_PRESERVE_ORDER), array_combine(array_map('key_of', $names), [150, 50, 150]));
}

function persistent_connections(): void {
    global $given;
    $first = open_client($given['servers'], [Memcached::OPT_PREFIX_KEY => key_of('pool.')], key_of('pool'));
    equal('persistent: new', [$first->isPersistent(), $first->isPristine(), $first->set('a', 1)], [true, true, true]);
    unset($first);
    $second = open_client($given['servers'], [], key_of('pool'));
    equal('persistent: found again, with servers and options', [$second->isPristine(), count($second->getServerList()), $second->get('a')], [false, 3, 1]);
    $other = open_client($given['servers'], [], key_of('other'));
    equal('persistent: another name is another client', [$other->isPristine(), $other->get('a')], [true, false]);
}

run('several_servers', 'one_server_down', 'races', 'persistent_connections');
