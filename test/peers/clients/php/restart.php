<?php
// A server that stops and starts again while its clients stay: ext-memcached (text and binary), ext-memcache.
require __DIR__ . '/checks.php';

function memcached(bool $binary): Memcached {
    global $given;
    $client = new Memcached();
    $client->setOptions([Memcached::OPT_BINARY_PROTOCOL => $binary, Memcached::OPT_RETRY_TIMEOUT => 1]);
    $client->addServer(...host_and_port($given['servers'][0]));
    return $client;
}

function memcache(): MemcachePool {
    global $given;
    $client = new MemcachePool();
    // host, TCP port, UDP port, persistent, weight, timeout, retry after
    $client->addServer(...[...host_and_port($given['servers'][0]), 0, false, 1, 20, 1]);
    return $client;
}

function stored_in_time($client): bool {
    for ($tries = 0; $tries < 600; $tries++) {
        if (@$client->set(key_of('again'), 'v')) return true;
        usleep(100_000);
    }
    return false;
}

function ask_for(string $what): void {
    fwrite(STDOUT, "$what\n");
    fgets(STDIN);
}

function restart(): void {
    $clients = ['memcached' => memcached(false), 'memcached-binary' => memcached(true), 'memcache' => memcache()];
    foreach ($clients as $name => $client) equal("$name: before", $client->set(key_of($name), 'v'), true);
    ask_for('stop');
    foreach ($clients as $name => $client) equal("$name: while it is down", @$client->set(key_of($name), 'v'), false);
    ask_for('start');
    foreach ($clients as $name => $client) {
        equal("$name: again", stored_in_time($client), true);
        equal("$name: nothing is left of before", $client->get(key_of($name)), false);
    }
}

run('restart');
