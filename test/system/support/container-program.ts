/**
 * A shell script for a container of the awkward image: looks at everything, writes in every
 * way. What is written to has one name only: overlay parts the names of a file, which the
 * conformance suite looks at.
 */
export const LOOK_AND_WRITE = `
cd /
echo "== as it came"
busybox ls -lnR bin etc home lib/ opt srv tmp usr var
cat etc/attributes usr/share/b/two home/user/three opt/linked lib/library
busybox md5sum bin/busybox var/sparse usr/bin/capable
echo "== written to"
echo more >>etc/attributes
echo into >srv/implied/into
mv opt/kept/later opt/renamed
mv opt/new opt/moved
rm -r usr/share/a srv/remade
mkdir srv/remade && echo again >srv/remade/again
rm srv/swap-dir && mkdir srv/swap-dir
rm -r srv/swap-file && echo file >srv/swap-file
chmod 0750 var/dir-7777 var/mode-0444
chown 5:6 var/mode-1666 home/user
: >var/sparse
ln opt/renamed opt/second-name
ln -s renamed opt/link
cp -a var/empty var/copied
cat etc/attributes srv/implied/* srv/remade/* srv/swap-file opt/second-name opt/link
busybox ls -lnR etc home opt srv usr var
echo "== $(busybox find etc opt srv usr var | busybox wc -l) paths"
`;

/**
 * A listing without what `ls` tells of the file system rather than of the tree, and with "now"
 * for times of this very day: blocks, sizes and links of directories, and how many names a
 * file has, which overlay counts without those that an upper layer hides.
 */
export function comparable(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^total \d+$/.test(line))
    .map((line) => line.replace(/^(d\S+) +\d+ +(\d+ +\d+) +\d+ /, "$1 $2 "))
    .map((line) => line.replace(/^([-lcbp]\S{9}) +\d+ /, "$1 "))
    .map((line) => line.replace(/ \w{3} +\d+ \d\d:\d\d /, " now "))
    .join("\n");
}
