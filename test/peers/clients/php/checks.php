<?php
// What the PHP scripts share. Each is started with one argument, a JSON object that names the servers (../given.ts), and prints a
// line PASS or FAIL for each thing that it checks.
error_reporting(E_ALL & ~E_DEPRECATED);
set_error_handler(function ($kind, $message, $file, $line) {
    // What is silenced by @ is expected; any other warning is a failure.
    if (!(error_reporting() & $kind)) return false;
    throw new ErrorException($message, 0, $kind, $file, $line);
});
$given = json_decode($argv[1], true);
$binary = $given['binary'];
// Scripts run at the same time against the same servers, each in a key space of its own.
$prefix = basename($argv[0], '.php') . '.' . getmypid() . '.';
$failures = 0;

function key_of($name): string {
    global $prefix;
    return $prefix . $name;
}

/** ['127.0.0.1', 11211] */
function host_and_port(string $server): array {
    $colon = strrpos($server, ':');
    return [substr($server, 0, $colon), (int) substr($server, $colon + 1)];
}

function check(string $name, bool $good, string $detail = ''): void {
    global $failures;
    $failures += $good ? 0 : 1;
    // Not by echo: PHP begins no session after its first output.
    fwrite(STDOUT, $good ? "PASS $name\n" : "FAIL $name $detail\n");
}

function equal(string $name, $got, $wanted): void {
    check($name, $got === $wanted, substr('got ' . var_export($got, true), 0, 400) . substr(', not ' . var_export($wanted, true), 0, 400));
}

/** Calls $work(0) to $work($count - 1) in processes of their own; what one of them throws fails the script. */
function in_processes(int $count, callable $work): void {
    $children = [];
    for ($i = 0; $i < $count; $i++) {
        $child = pcntl_fork();
        if ($child === 0) {
            try {
                $work($i);
                exit(0);
            } catch (Throwable $thrown) {
                fwrite(STDERR, "$thrown\n");
                exit(1);
            }
        }
        $children[] = $child;
    }
    $failed = 0;
    foreach ($children as $child) {
        pcntl_waitpid($child, $status);
        $failed += pcntl_wifexited($status) && pcntl_wexitstatus($status) === 0 ? 0 : 1;
    }
    if ($failed > 0) throw new Exception("$failed processes failed: see stderr");
}

/** Outlives every TTL of one second, also one that a server counts in ticks of its clock. */
function wait_for_end_of_second(): void {
    usleep(2_200_000);
}

/** Ends the process: 0 when every check passed. */
function run(callable ...$parts): never {
    global $failures;
    foreach ($parts as $part) {
        try {
            $part();
        } catch (Throwable $thrown) {
            check($part instanceof Closure ? 'a part' : $part, false, "$thrown");
        }
    }
    exit($failures > 0 ? 1 : 0);
}
