<?php
// ext-memcached, which is libmemcached: one client on one connection, on the text or the binary protocol.
require __DIR__ . '/checks.php';

function open_client(string $server = '', array $options = []): Memcached {
    global $given, $binary;
    $client = new Memcached();
    $client->setOptions([Memcached::OPT_BINARY_PROTOCOL => $binary, Memcached::OPT_TCP_NODELAY => true]);
    foreach ($options as $option => $value) $client->setOption($option, $value);
    $client->addServer(...host_and_port($server ?: $given['servers'][0]));
    return $client;
}

$client = open_client();

function storage(): void {
    global $client, $binary;
    $values = ['text' => 'some text 日本', 'bytes' => "\x00\r\n\xff", 'number' => 41, 'float' => 1.5, 'true' => true, 'false' => false, 'null' => null, 'array' => ['k' => [1, 'é', null]], 'empty' => '', 'object' => new ArrayObject([1])];
    foreach ($values as $name => $value) {
        equal("set: $name", $client->set(key_of('v'), $value), true);
        $got = $client->get(key_of('v'));
        check("get: $name", is_object($value) ? $got == $value : $got === $value, var_export($got, true));
    }
    equal('get: a miss', [$client->get(key_of('none')), $client->getResultCode()], [false, Memcached::RES_NOTFOUND]);
    equal('get with a callback', $client->get(key_of('made'), function ($client, $key, &$value) { $value = 'made'; return true; }), 'made');
    equal('get with a callback: stored', $client->get(key_of('made')), 'made');
    equal('add: there', [$client->add(key_of('v'), 'x'), $client->getResultCode()], [false, $binary ? Memcached::RES_DATA_EXISTS : Memcached::RES_NOTSTORED]);
    equal('add: not there', $client->add(key_of('w'), 'x'), true);
    equal('replace: there', $client->replace(key_of('w'), 'y'), true);
    equal('replace: not there', [$client->replace(key_of('none'), 'x'), $client->getResultCode()], [false, $binary ? Memcached::RES_NOTFOUND : Memcached::RES_NOTSTORED]);
    equal('delete', [$client->delete(key_of('w')), $client->delete(key_of('w')), $client->getResultCode()], [true, false, Memcached::RES_NOTFOUND]);
    $client->setOption(Memcached::OPT_COMPRESSION, false);
    equal('append and prepend', [$client->set(key_of('s'), '1'), $client->append(key_of('s'), '2'), $client->prepend(key_of('s'), '0'), $client->get(key_of('s'))], [true, true, true, '012']);
    equal('append: not there', [$client->append(key_of('none'), 'x'), $client->getResultCode()], [false, Memcached::RES_NOTSTORED]);
    $client->setOption(Memcached::OPT_COMPRESSION, true);
}

function counters(): void {
    global $client, $binary;
    $client->set(key_of('n'), 10);
    equal('increment, decrement, and not below 0', [$client->increment(key_of('n'), 5), $client->decrement(key_of('n')), $client->decrement(key_of('n'), 100)], [15, 14, 0]);
    equal('increment: a miss', [$client->increment(key_of('none')), $client->getResultCode()], [false, Memcached::RES_NOTFOUND]);
    $client->set(key_of('word'), 'abc');
    equal('increment: no number', @$client->increment(key_of('word')), false);
    equal('get after an error', $client->get(key_of('word')), 'abc');
    if (!$binary) return;
    equal('increment with a first value', [$client->increment(key_of('first'), 1, 7, 60), $client->increment(key_of('first'), 1, 7), $client->decrement(key_of('second'), 1, 3)], [7, 8, 3]);
}

function tokens(): void {
    global $client;
    $client->set(key_of('c'), ['n' => 1]);
    $got = $client->get(key_of('c'), null, Memcached::GET_EXTENDED);
    equal('get: value, token and flags', [$got['value'], $got['cas'] > 0, array_keys($got)], [['n' => 1], true, ['value', 'cas', 'flags']]);
    equal('cas', [$client->cas($got['cas'], key_of('c'), ['n' => 2]), $client->get(key_of('c'))], [true, ['n' => 2]]);
    equal('cas: an old token', [$client->cas($got['cas'], key_of('c'), 3), $client->getResultCode(), $client->get(key_of('c'))], [false, Memcached::RES_DATA_EXISTS, ['n' => 2]]);
    equal('cas: not there', [$client->cas($got['cas'], key_of('none'), 1), $client->getResultCode()], [false, Memcached::RES_NOTFOUND]);
    $client->setOption(Memcached::OPT_USER_FLAGS, 77);
    $client->set(key_of('flagged'), 'v');
    equal('flags of the user', $client->get(key_of('flagged'), null, Memcached::GET_EXTENDED)['flags'], 77);
    $client->setOption(Memcached::OPT_USER_FLAGS, -1);
}

function many(): void {
    global $client;
    $items = [];
    for ($i = 0; $i < 500; $i++) $items[key_of("m$i")] = "value $i";
    equal('setMulti', $client->setMulti($items, 60), true);
    equal('getMulti in order', $client->getMulti([...array_keys($items)], Memcached::GET_PRESERVE_ORDER), $items);
    $extended = $client->getMulti(array_slice(array_keys($items), 0, 50), Memcached::GET_EXTENDED);
    equal('getMulti with tokens', count(array_unique(array_column($extended, 'cas'))), 50);
    equal('getMulti: a miss in order', $client->getMulti([key_of('none'), key_of('m1')], Memcached::GET_PRESERVE_ORDER), [key_of('none') => null, key_of('m1') => 'value 1']);
    equal('getDelayed', $client->getDelayed([key_of('m1'), key_of('m2')]), true);
    $fetched = array_column($client->fetchAll(), 'value', 'key');
    ksort($fetched);
    equal('fetchAll', $fetched, [key_of('m1') => 'value 1', key_of('m2') => 'value 2']);
    equal('deleteMulti', $client->deleteMulti([key_of('m1'), key_of('none')]), [key_of('m1') => true, key_of('none') => Memcached::RES_NOTFOUND]);
    $client->deleteMulti(array_keys($items));
    equal('getMulti: deleted', $client->getMulti(array_keys($items)), []);
}

function compression_and_serializers(): void {
    global $client;
    $text = str_repeat('hello world ', 5000);
    foreach (['FASTLZ', 'ZLIB'] as $kind) {
        $client->setOption(Memcached::OPT_COMPRESSION_TYPE, constant("Memcached::COMPRESSION_$kind"));
        equal("compressed by $kind", [$client->set(key_of('z'), $text), $client->get(key_of('z')) === $text], [true, true]);
    }
    foreach (['PHP', 'IGBINARY', 'JSON_ARRAY', 'MSGPACK'] as $kind) {
        $client->setOption(Memcached::OPT_SERIALIZER, constant("Memcached::SERIALIZER_$kind"));
        $value = ['a' => [1, 'é', null, true], 'b' => 1.5];
        equal("serialized by $kind", [$client->set(key_of('z'), $value), $client->get(key_of('z'))], [true, $value]);
    }
}

function sizes(): void {
    global $client, $binary;
    $client->setOption(Memcached::OPT_COMPRESSION, false);
    $big = str_repeat(implode('', array_map('chr', range(0, 255))), 4092);
    equal('set and get: almost 1 MiB', [$client->set(key_of('big'), $big), $client->get(key_of('big')) === $big], [true, true]);
    equal('set: too large', [$client->set(key_of('big'), str_repeat('x', 1 << 20)), $client->getResultCode()], [false, Memcached::RES_E2BIG]);
    equal('a set that is too large leaves no old value', $client->get(key_of('big')), false);
    equal('and the client goes on', [$client->set(key_of('big'), 'small'), $client->get(key_of('big'))], [true, 'small']);
    $longest = str_pad(key_of(''), 250, 'k');
    equal('a key of 250 bytes', [$client->set($longest, 1), $client->get($longest)], [true, 1]);
    equal('a key of 251 bytes', [$client->set("{$longest}k", 1), $client->getResultCode()], [false, Memcached::RES_BAD_KEY_PROVIDED]);
    // For the text protocol it takes only keys of printable ASCII.
    $odd = ['ключ', 'a b'];
    equal('keys that only the binary protocol has', array_map(fn($key) => $client->set(key_of($key), $key) ? $client->get(key_of($key)) : false, $odd), $binary ? $odd : [false, false]);
    $prefixed = open_client('', [Memcached::OPT_PREFIX_KEY => key_of('p.')]);
    equal('a prefix', [$prefixed->set('a', 1), $client->get(key_of('p.a'))], [true, 1]);
}

function without_replies(): void {
    $quiet = open_client('', [Memcached::OPT_NOREPLY => true]);
    for ($i = 0; $i < 500; $i++) $quiet->set(key_of('quiet'), "$i");
    equal('500 sets with noreply, then get', $quiet->get(key_of('quiet')), '499');
    $quiet->delete(key_of('quiet'));
    equal('delete with noreply', $quiet->get(key_of('quiet')), false);
    $buffered = open_client('', [Memcached::OPT_BUFFER_WRITES => true, Memcached::OPT_NO_BLOCK => true]);
    for ($i = 0; $i < 500; $i++) $buffered->set(key_of("b$i"), $i);
    equal('buffered writes', [$buffered->flushBuffers(), $buffered->get(key_of('b499'))], [true, 499]);
}

function times_to_live(): void {
    global $client, $binary;
    foreach (['one' => 1, 'date' => time() + 1, 'negative' => -1, 'long' => 60, 'touched' => 1] as $name => $seconds) $client->set(key_of($name), 'v', $seconds);
    // The field of the binary protocol has no sign: there, −1 is a date in the year 2106.
    equal('a negative TTL', $client->get(key_of('negative')), $binary ? 'v' : false);
    equal('touch', $client->touch(key_of('touched'), 60), true);
    equal('touch: not there', [$client->touch(key_of('none'), 60), $client->getResultCode()], [false, Memcached::RES_NOTFOUND]);
    wait_for_end_of_second();
    $ends = $client->getMulti(array_map('key_of', ['one', 'date', 'long', 'touched']));
    equal('over after its TTL, and not before', $ends, [key_of('long') => 'v', key_of('touched') => 'v']);
}

function about_the_server(): void {
    global $client, $given, $binary;
    $server = $given['servers'][0];
    [$stats, $version] = [$client->getStats()[$server], $client->getVersion()[$server]];
    check('getStats', $stats['pid'] > 0 && isset($stats['uptime'], $stats['curr_items'], $stats['get_hits'], $stats['bytes']));
    equal('getStats: -m', (int) $stats['limit_maxbytes'], $given['megabytes'] << 20);
    check('getStats with a name', count($client->getStats('items')[$server]) > 0 && count($client->getStats('settings')[$server]) > 0);
    check('getVersion', str_starts_with($version, '1.6.'), $version);
    if (!$binary) check('getAllKeys', is_array($client->getAllKeys()));
    $emptied = open_client($given['emptied']);
    $emptied->set(key_of('gone'), 'v');
    equal('flush', [$emptied->flush(), $emptied->get(key_of('gone'))], [true, false]);
    equal('flush with a delay', $emptied->flush(60), true);
    equal('flush again takes the delay back', $emptied->flush(), true);
    $client->quit();
    equal('a client that has quit connects again', $client->set(key_of('again'), 'v'), true);
}

run('storage', 'counters', 'tokens', 'many', 'compression_and_serializers', 'sizes', 'without_replies', 'times_to_live', 'about_the_server');
