/**
 * Bridges, address translation and published ports by a kernel whose netfilter is in modules,
 * and older than most that they are tried on.
 */
import "../system/network/network.test.ts";
