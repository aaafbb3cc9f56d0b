# exits.sh CODE COMMAND...: runs the command, which must end with this exit code.
want=$1
shift
"$@" 2>&1
got=$?
test "$got" -eq "$want" || { echo "exit code $got instead of $want"; exit 1; }
