/* Plays `wevtutil qe CHANNEL /q:*[System[(... EventRecordID>N ...)]] ...`: prints the events of
   CHANNEL.xml beside it, one a line there, whose record id is above N. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    static char line[1 << 20];
    char path[4096];
    long after = 0;
    int newest_first = 0;
    if (argc < 3 || strcmp(argv[1], "qe")) return 1;
    for (int i = 3; i < argc; i++) {
        char *at = strstr(argv[i], "EventRecordID>");
        if (at) after = atol(at + 14);
        if (!strcmp(argv[i], "/rd:true")) newest_first = 1;
    }
    strcpy(path, argv[0]);
    char *slash = strrchr(path, '\\');
    sprintf(slash ? slash + 1 : path, "%s.xml", argv[2]);
    FILE *log = fopen(path, "rb");
    if (!log) { fputs("The specified channel could not be found.\n", stderr); return 15007 & 255; }
    static char last[1 << 20];
    while (fgets(line, sizeof line, log)) {
        char *at = strstr(line, "<EventRecordID>");
        if (!at || atol(at + 15) <= after) continue;
        if (newest_first) strcpy(last, line); else fputs(line, stdout);
    }
    fputs(last, stdout);
    return 0;
}
