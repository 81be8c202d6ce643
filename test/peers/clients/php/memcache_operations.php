<?php
// ext-memcache, on the text or the binary protocol: one server, three servers, a server that is down, processes that race.
require __DIR__ . '/checks.php';
ini_set('memcache.protocol', $binary ? 'binary' : 'ascii');

function open_client(array $places = [], int $retryAfter = 0): MemcachePool {
    global $given;
    $client = new MemcachePool();
    foreach ($places ?: [$given['servers'][0]] as $place) {
        [$host, $port] = host_and_port($place);
        // host, TCP port, UDP port, persistent, weight, timeout, retry after
        $client->addServer($host, $port, 0, false, 1, 20, $retryAfter);
    }
    return $client;
}

$client = open_client();

function storage(): void {
    global $client, $binary;
    foreach (['text' => 'some text 日本', 'bytes' => "\x00\r\n\xff", 'number' => 41, 'float' => 1.5, 'true' => true, 'array' => ['k' => [1, 'é', null]], 'empty' => ''] as $name => $value)
        equal("set and get: $name", [$client->set(key_of('v'), $value), $client->get(key_of('v'))], [true, $value]);
    equal('get: a miss', $client->get(key_of('none')), false);
    equal('add: there, not there', [$client->add(key_of('v'), 'x'), $client->add(key_of('w'), 'x')], [false, true]);
    equal('replace: there, not there', [$client->replace(key_of('w'), 'y'), @$client->replace(key_of('none'), 'x')], [true, false]);
    if (!$binary) equal('append and prepend', [$client->append(key_of('w'), 'z'), $client->prepend(key_of('w'), 'x'), $client->get(key_of('w'))], [true, true, 'xyz']);
    equal('delete', [$client->delete(key_of('w')), $client->delete(key_of('w')), $client->get(key_of('w'))], [true, false, false]);
    $flags = null;
    $client->set(key_of('z'), str_repeat('abc', 50_000), MEMCACHE_COMPRESSED);
    equal('compressed', $client->get(key_of('z'), $flags), str_repeat('abc', 50_000));
    check('compressed: by flags', ($flags & MEMCACHE_COMPRESSED) !== 0, json_encode($flags));
    $longest = str_pad(key_of(''), 250, 'k');
    equal('a key of 250 bytes', [$client->set($longest, 1), $client->get($longest)], [true, 1]);
}

function counters(): void {
    global $client;
    $client->set(key_of('n'), 10);
    equal('increment, decrement, and not below 0', [$client->increment(key_of('n'), 5), $client->decrement(key_of('n')), $client->decrement(key_of('n'), 100)], [15, 14, 0]);
    equal('increment: a miss', $client->increment(key_of('none')), false);
}

function tokens(): void {
    global $client;
    $client->set(key_of('c'), 'one');
    $flags = $token = null;
    equal('get with a token', [$client->get(key_of('c'), $flags, $token), $token > 0], ['one', true]);
    equal('cas', [$client->cas(key_of('c'), 'two', 0, 60, $token), $client->get(key_of('c'))], [true, 'two']);
    equal('cas: an old token', [@$client->cas(key_of('c'), 'three', 0, 60, $token), $client->get(key_of('c'))], [false, 'two']);
}

function several_servers(): void {
    global $given, $binary;
    $shared = open_client($given['servers']);
    for ($i = 0; $i < 300; $i++) $items[key_of("m$i")] = "value $i";
    foreach ($items as $key => $value) $shared->set($key, $value);
    $found = $shared->get([...array_keys($items), key_of('none')]);
    ksort($found);
    ksort($items);
    equal('three servers: get of many', $found, $items);
    $shares = array_map(fn($server) => count(open_client([$server])->get(array_keys($items))), $given['servers']);
    check('three servers: each key on one of them', array_sum($shares) === 300 && min($shares) > 20, json_encode($shares));
    if (!$binary) equal('three servers: getExtendedStats', count(array_filter($shared->getExtendedStats(), fn($stats) => $stats['pid'] > 0)), 3);
    check('getVersion', str_starts_with($shared->getVersion(), '1.6.'));
    // It writes at once to the next server of its ring when one is down.
    $halved = open_client([$given['servers'][0], $given['servers'][1], $given['down']], 600);
    $set = fn($i) => @$halved->set(key_of("d$i"), $i) && @$halved->get(key_of("d$i")) === $i;
    equal('one of three down: all are stored and found', array_filter(range(0, 59), fn($i) => !$set($i)), []);
}

function races(): void {
    foreach (['guarded', 'counted'] as $name) open_client()->set(key_of($name), 0);
    in_processes(5, function (int $index) {
        $client = open_client();
        for ($n = 0; $n < 100; $n++) $client->increment(key_of('counted'));
        for ($n = 0; $n < 10; $n++) {
            while (!$client->add(key_of('lock'), $index, 0, 60)) usleep(500);
            $client->set(key_of('guarded'), $client->get(key_of('guarded')) + 1);
            $client->delete(key_of('lock'));
        }
    });
    equal('increment and a lock by add of five processes', [open_client()->get(key_of('counted')), open_client()->get(key_of('guarded'))], [500, 50]);
}

function persistent(): void {
    global $given;
    foreach ([1, 2] as $time) {
        $client = new Memcache();
        check("pconnect, time $time", $client->pconnect(...host_and_port($given['servers'][0])));
        equal("pconnect, time $time: used", [$client->set(key_of('p'), $time), $client->get(key_of('p'))], [true, $time]);
        $client->close();
    }
}

function sizes_and_ends(): void {
    global $client, $given;
    $big = str_repeat(implode('', array_map('chr', range(0, 255))), 4092);
    equal('set and get: almost 1 MiB', [$client->set(key_of('big'), $big), $client->get(key_of('big')) === $big], [true, true]);
    equal('set: too large', @$client->set(key_of('big'), random_bytes((1 << 20) + 1)), false);
    equal('a set that is too large leaves no old value', $client->get(key_of('big')), false);
    foreach (['one' => 1, 'date' => time() + 1, 'long' => 60] as $name => $seconds) $client->set(key_of($name), 'v', 0, $seconds);
    wait_for_end_of_second();
    equal('over after its TTL, and not before', $client->get(array_map('key_of', ['one', 'date', 'long'])), [key_of('long') => 'v']);
    $emptied = open_client([$given['emptied']]);
    $emptied->set(key_of('gone'), 'v');
    equal('flush', [$emptied->flush(), $emptied->get(key_of('gone'))], [true, false]);
}

run('storage', 'counters', 'tokens', 'several_servers', 'races', 'persistent', 'sizes_and_ends');
