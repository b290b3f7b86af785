# Runs code in Perl that rules hold. Questions come and answers go over standard input, a socket: a
# length of four bytes, then so many bytes. Numbers are big-endian; a text is its length and its bytes.

package main::SEC;

# Before anything is declared that the code of rules could see.
sub Bergfried::Helper::evaluate { return eval("package main::SEC; $_[0]"); }

package Bergfried::Helper;

use strict;
use warnings;

$0 = 'sec';
$SIG{INT} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
# What code prints goes where the program's own output goes.
open(my $socket, '+<&', \*STDIN) or die "no socket: $!";
open(STDIN, '<', '/dev/null') or die "no /dev/null: $!";
binmode($socket);
$| = 1;

my %functions;
my $next = 1 << 31;

sub receive {
    my ($wanted) = @_;
    my $text = '';
    while (length($text) < $wanted) {
        my $count = sysread($socket, $text, $wanted - length($text), length($text));
        next if !defined($count) && $!{EINTR};
        exit(0) if !$count;
    }
    return $text;
}

sub tell_answer {
    my ($text) = @_;
    $text = pack('N', length($text)) . $text;
    while (length($text)) {
        my $count = syswrite($socket, $text);
        next if !defined($count) && $!{EINTR};
        exit(0) if !$count;
        substr($text, 0, $count) = '';
    }
}

sub bytes { my ($text) = @_; $text = "$text"; utf8::encode($text) if utf8::is_utf8($text); return $text; }
sub text { return pack('N/a*', bytes($_[0])); }
sub value { return defined($_[0]) ? 'B' . text($_[0]) : 'U'; }

sub entry {
    my ($hash) = @_;
    return pack('N', scalar(keys %$hash)) . join('', map { text($_) . value($hash->{$_}) } sort keys %$hash);
}

# What code gave back, or why it failed.
sub answer {
    my ($error, @values) = @_;
    return 'E' . text($error) if $error ne '';
    if (@values == 1 && ref($values[0]) eq 'CODE') {
        # A function is known by its number from now on.
        $functions{$next} = $values[0];
        return 'F' . pack('N', $next++);
    }
    return 'N' . entry($values[0]) if @values == 1 && ref($values[0]) eq 'HASH';
    return 'V' . pack('N', scalar(@values)) . join('', map { value($_) } @values);
}

sub take_number { my $number = unpack('N', substr($_[0], 0, 4, '')); return $number; }
sub take_text { my $length = take_number($_[0]); return substr($_[0], 0, $length, ''); }
sub take_value { return substr($_[0], 0, 1, '') eq 'U' ? undef : take_text($_[0]); }

sub compile {
    my ($number, $source) = @_;
    my $function = evaluate($source);
    return 'E' . text($@) if $@ ne '';
    return 'E' . text('it is no function') if ref($function) ne 'CODE';
    $functions{$number} = $function;
    return 'V' . pack('N', 0);
}

sub call {
    my ($question) = @_;
    my ($number, $scalar) = (take_number($question), take_number($question));
    my (@arguments, @entries);
    for (1 .. take_number($question)) {
        my $kind = substr($question, 0, 1, '');
        if ($kind eq 'H') {
            my %entry;
            for (1 .. take_number($question)) {
                my $name = take_text($question);
                $entry{$name} = take_value($question);
            }
            push @entries, \%entry;
            push @arguments, \%entry;
        } elsif ($kind eq 'L') {
            push @arguments, [map { take_text($question) } 1 .. take_number($question)];
        } else {
            push @arguments, $kind eq 'U' ? undef : take_text($question);
        }
    }
    my $function = $functions{$number};
    my @values;
    if ($function) {
        eval { if ($scalar) { $values[0] = $function->(@arguments) } else { @values = $function->(@arguments) } 1 }
            or return ('E' . text($@ ne '' ? $@ : 'it died'), @entries);
        return (answer('', @values), @entries);
    }
    return ('E' . text('the function is lost: the helper was started anew'), @entries);
}

while (1) {
    my $question = receive(unpack('N', receive(4)));
    my $kind = substr($question, 0, 1, '');
    my ($answer, @entries);
    if ($kind eq 'C') {
        my $number = take_number($question);
        $answer = compile($number, take_text($question));
    } elsif ($kind eq 'K') {
        ($answer, @entries) = call($question);
    } else {
        my $scalar = take_number($question);
        my $program = take_text($question);
        my @values;
        if ($scalar) { $values[0] = evaluate($program) } else { @values = evaluate($program) }
        $answer = answer($@, @values);
    }
    tell_answer($answer . pack('N', scalar(@entries)) . join('', map { entry($_) } @entries));
}
