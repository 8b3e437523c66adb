# Completes `pulumi-alembic` in fish. The typed words are passed on as they are, never evaluated.
function __pulumi_alembic_complete
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l program $words[1]
    set -e words[1]
    for line in ($program __complete fish -- $words (commandline --current-token --cut-at-cursor) 2>/dev/null)
        switch $line
            case ':files' ':folders'
                __fish_complete_path (commandline --current-token --cut-at-cursor | string replace --regex '^--[^=]*=' '')
            case '*'
                echo $line
        end
    end
end
complete --command pulumi-alembic --no-files --arguments '(__pulumi_alembic_complete)'
