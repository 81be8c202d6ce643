<?php
// One client of many that work on one server at once: its own keys are as it left them, a counter that all raise loses nothing,
// and of a lock by add there is one holder.
require __DIR__ . '/checks.php';

// Made by the test, for all of them.
const counter = 'together.counter';
const lock = 'together.lock';
const inside = 'together.inside';

function open_client(): Memcached|MemcachePool {
    global $given, $binary;
    [$host, $port] = host_and_port($given['servers'][0]);
    if ($given['client'] === 'memcache') {
        $client = new MemcachePool();
        $client->addServer($host, $port);
    } else {
        $client = new Memcached();
        $client->setOptions([Memcached::OPT_BINARY_PROTOCOL => $binary, Memcached::OPT_TCP_NODELAY => true]);
        $client->addServer($host, $port);
    }
    return $client;
}

function get_many($client, array $names): array {
    $found = $client instanceof Memcached ? $client->getMulti($names) : $client->get($names);
    ksort($found);
    return $found;
}

function text(): string {
    $lengths = [0, 1, 50, 2000, 30_000];
    return substr(bin2hex(random_bytes(15_000)), 0, $lengths[array_rand($lengths)]);
}

function held_alone($client): bool {
    if (!$client->add(lock, 'mine')) return true;
    $alone = $client->increment(inside, 1) === 1 && $client->decrement(inside, 1) === 0;
    $client->delete(lock);
    return $alone;
}

function work(): void {
    global $given;
    $client = open_client();
    $names = array_map(fn($i) => key_of($i), range(10, 39));
    [$model, $wrong, $raised, $until] = [[], [], 0, microtime(true) + $given['seconds']];
    $what = ['set', 'set', 'get', 'get', 'add', 'delete', 'many', 'count', 'lock'];
    while (microtime(true) < $until && !$wrong) {
        [$name, $does] = [$names[array_rand($names)], $what[array_rand($what)]];
        $there = isset($model[$name]);
        if ($does === 'set' || ($does === 'add' && !$there)) {
            $model[$name] = text();
            $good = $client->$does($name, $model[$name]);
        } elseif ($does === 'add') $good = !$client->add($name, 'x');
        elseif ($does === 'get') $good = $client->get($name) === ($model[$name] ?? false);
        elseif ($does === 'delete') {
            $good = $client->delete($name) === $there;
            unset($model[$name]);
        } elseif ($does === 'many') {
            ksort($model);
            $good = get_many($client, $names) === $model;
        } elseif ($does === 'count') $good = $client->increment(counter, 1) > $raised++;
        else $good = held_alone($client);
        if (!$good) $wrong[] = [$does, $name, $there];
    }
    equal('what it did came back', $wrong, []);
    check('it has kept some, and counted', count($model) > 0 && $raised > 0);
    fwrite(STDOUT, "RAISED $raised\n");
}

run('work');
