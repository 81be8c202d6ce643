<?php
// PHP's own sessions on three servers, kept by ext-memcached (text or binary protocol) and by ext-memcache.
require __DIR__ . '/checks.php';

const waiting = [
    'memcached.sess_lock_wait_min' => '20',
    'memcached.sess_lock_wait_max' => '20',
    'memcached.sess_lock_retries' => '1000',
];

function kept_by(string $handler, array $settings): void {
    foreach (['session.use_cookies' => '0', 'session.save_handler' => $handler, ...$settings] as $name => $value) ini_set($name, $value);
    session_id(str_replace('.', '-', key_of($handler)));
    $old = session_id();
    session_start();
    $_SESSION = ['user' => 'Ada', 'count' => 0];
    session_write_close();
    // While a session is open it is locked, by an add: each request has it to itself.
    in_processes(4, function () {
        for ($n = 0; $n < 5; $n++) {
            session_start();
            $_SESSION['count']++;
            usleep(1000);
            session_write_close();
        }
    });
    session_start();
    equal("$handler: twenty requests of four processes", $_SESSION, ['user' => 'Ada', 'count' => 20]);
    session_regenerate_id(true);
    $new = session_id();
    session_write_close();
    session_id($old);
    session_start();
    equal("$handler: the old name is gone", $_SESSION, []);
    session_destroy();
    session_id($new);
    session_start();
    equal("$handler: kept under the new name", $_SESSION['count'], 20);
    session_destroy();
    session_id($new);
    session_start();
    equal("$handler: destroyed", $_SESSION, []);
    session_write_close();
}

function by_memcached(): void {
    global $given, $binary;
    kept_by('memcached', [
        'session.save_path' => implode(',', $given['servers']),
        'memcached.sess_binary_protocol' => $binary ? '1' : '0',
        'memcached.sess_prefix' => key_of('session.'),
        ...waiting,
    ]);
}

function by_memcache(): void {
    global $given;
    kept_by('memcache', ['session.save_path' => implode(',', array_map(fn($server) => "tcp://$server", $given['servers']))]);
}

$binary ? run('by_memcached') : run('by_memcached', 'by_memcache');
