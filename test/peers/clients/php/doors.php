<?php
// Other ways in than plain TCP: a Unix socket (ext-memcached, ext-memcache), SASL (ext-memcached).
require __DIR__ . '/checks.php';

/** What differs between the ways in is how bytes go: so short ones, long ones, and many. */
function works(string $name, Memcached|MemcachePool $client): void {
    $items = [];
    for ($i = 0; $i < 200; $i++) $items[key_of("$name.$i")] = "value $i";
    equal("$name: set", array_filter($items, fn($value, $key) => !$client->set($key, $value), ARRAY_FILTER_USE_BOTH), []);
    $found = $client instanceof Memcached ? $client->getMulti(array_keys($items)) : $client->get(array_keys($items));
    ksort($items);
    ksort($found);
    equal("$name: get of many", $found, $items);
    $big = random_bytes(1_000_000);
    equal("$name: almost 1 MiB", [$client->set(key_of($name), $big), $client->get(key_of($name)) === $big], [true, true]);
    $client->set(key_of($name), 7);
    equal("$name: increment", $client->increment(key_of($name), 1), 8);
}

function memcached(string $host, int $port, bool $binary, ?array $who = null): Memcached {
    $client = new Memcached();
    $client->setOptions([Memcached::OPT_BINARY_PROTOCOL => $binary, Memcached::OPT_COMPRESSION => false, Memcached::OPT_TCP_NODELAY => $port > 0]);
    if ($who !== null) $client->setSaslAuthData(...$who);
    $client->addServer($host, $port);
    return $client;
}

function unix_sockets(): void {
    global $given;
    works('memcached-unix', memcached($given['socket'], 0, false));
    works('memcached-unix-binary', memcached($given['socket'], 0, true));
    $client = new MemcachePool();
    $client->addServer("unix://$given[socket]", 0);
    works('memcache-unix', $client);
}

function passwords(): void {
    global $given;
    ['server' => $server, 'user' => $user, 'password' => $password] = $given['login'];
    [$host, $port] = host_and_port($server);
    works('memcached-sasl', memcached($host, $port, true, [$user, $password]));
    foreach (['a wrong password' => [$user, "x$password"], 'a wrong user' => ['nobody', $password], 'no password' => null] as $name => $who) {
        equal("sasl: $name", memcached($host, $port, true, $who)->set(key_of('a'), 'v'), false);
        equal("sasl: $name stores nothing", memcached($host, $port, true, [$user, $password])->get(key_of('a')), false);
    }
}

run('unix_sockets', 'passwords');
