"""Secure boot keys that machines come with, by digest: taken on 2026-11-22 from the real logs of the machines named.

Digests are of whole certificates (PK, KEK, db), of whole variables (releases of dbx), and entries of dbx themselves. An
operator adds those of his own machines (`secure_boot_keys.extend_references`). Left out: a public TLS root, expired, in
Supermicro's db.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Reference(NamedTuple):
    """A certificate or a release of dbx: its variable, digest in hex, name, and the machine whose log has it."""

    variable: str
    sha256: str
    name: str
    machine: str


# Of Azure's, the year is that of the attestation key's certificate; others are undated, and named with the project that
# published their log.
_AZURE_LINUX: Final = "Azure, Trusted Launch, Linux of 2021"
_AZURE_WINDOWS: Final = "Azure, Trusted Launch, Windows of 2023"
_GCE: Final = "Google Compute Engine, shielded virtual machines (go-attestation, go-tpm-tools)"
_GCE_COS: Final = "Google Compute Engine, Container-Optimized OS (go-tpm-tools, go-eventlog)"
_HP: Final = "physical machines of HP (go-attestation)"
_LENOVO: Final = "a physical ThinkStation of Lenovo (go-tpm-tools)"
_INTEL: Final = "a physical Intel desktop board (go-attestation)"
_SUPERMICRO: Final = "a physical server of Supermicro (tpm2-tools)"
_PLAIN: Final = "a machine with Microsoft's keys only (tpm2-tools)"
_RED_HAT: Final = "a virtual machine with Red Hat's keys (keylime)"

REFERENCES: Final = (
    Reference(
        "PK",
        "b3bd98f4777241d721a96cd584dcb9d4b2098beb269c44442bdf609adce3b6c0",
        "Microsoft Hyper-V Firmware PK",
        _AZURE_LINUX,
    ),
    Reference(
        "KEK",
        "a1117f516a32cefcba3f2d1ace10a87972fd6bbe8fe0d0b996e09e65d802a503",
        "Microsoft Corporation KEK CA 2011",
        _AZURE_LINUX,
    ),
    Reference(
        "db",
        "48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507",
        "Microsoft Corporation UEFI CA 2011",
        _AZURE_LINUX,
    ),
    Reference(
        "db",
        "e8e95f0733a55e8bad7be0a1413ee23c51fcea64b3c8fa6a786935fddcc71961",
        "Microsoft Windows Production PCA 2011",
        _AZURE_WINDOWS,
    ),
    Reference("PK", "d1d217acf60ba4e4a890210322d006d673c0b82de9d65ad7f2d55897635429e2", "newpk", _GCE),
    Reference(
        "db",
        "df545bf919a2439c36983b54cdfc903dfa4f37d3996d8d84b4c31eec6f3c163e",
        "Microsoft Root Certificate Authority 2010",
        _GCE,
    ),
    Reference(
        "db",
        "2848361a9c1e32df1d3e2ed6a7b9e67a525cf8a13b164f8006c9479578f746de",
        "Microsoft Corporation Third Party Marketplace Root",
        _GCE,
    ),
    Reference(
        "PK",
        "c187832602dbada644d18fb43a5aab2ed71854f0a3ef678c0debfc96608b1eeb",
        "UEFI Platform Key v20250203",
        _GCE_COS,
    ),
    Reference(
        "KEK",
        "e76a7b739876acbb3835e70a121192244f895e5bb033793e7470d196eed2b6bd",
        "UEFI Key Exchange Key v20250203",
        _GCE_COS,
    ),
    Reference(
        "db", "2fa7df82773db7eedb5cbaa88e20d885e4c19f1f24ee8e9930192893c258d0a4", "UEFI DB Key v20250203", _GCE_COS
    ),
    Reference(
        "PK", "7d75af8ed5cea65bf6f08f8e3cd52394bc18674e56772d86b32847aad84cb675", "UEFI Platform Key v10", _GCE_COS
    ),
    Reference(
        "KEK", "7b033db44e666c2e8d6b32bdc7f52db729041ba06e05977c7ab25306a4600bcd", "UEFI Key Exchange Key v10", _GCE_COS
    ),
    Reference("db", "a7b8c851deb2acba7c7d0e6ec091c93440f942c65d776fdcb58016f8fd1674b0", "UEFI DB Key v10", _GCE_COS),
    Reference(
        "PK",
        "dd92dc4c351631d99c90711c3cb4fd7104ada10d1254ce69cf84e5e54cd5879b",
        "Hewlett-Packard UEFI Secure Boot Platform Key",
        _HP,
    ),
    Reference(
        "KEK",
        "b2f95b13c524c40f6c79a6aebd565b069302e28e3871e50a1bd3f98780c1a2a5",
        "Hewlett-Packard UEFI Secure Boot Key Exchange Key",
        _HP,
    ),
    Reference(
        "db",
        "88e7f1f436074cf55be4e72112ff35cfb3a265f5e725dd51ff517cd64f26b356",
        "Hewlett-Packard UEFI Secure Boot DB Key",
        _HP,
    ),
    Reference(
        "db", "0cb52d764718613b16989246670bbf7e3807aeefb191df9c93a081dfce0cff38", "HP UEFI Secure Boot 2013 DB key", _HP
    ),
    Reference("PK", "047b74f2835f0c720c0011288dc1aee919036961096391b85b5b41781cc06657", "LENOVO", _LENOVO),
    Reference("db", "99abba42419f80cc967a95cbb6a0ecd754f4d243accb778ed2fef17899d3618e", "Lenovo UEFI CA 2014", _LENOVO),
    Reference("db", "841a13264780213855e2776d2f275f37595d089d504f956cdaf77931cabaec08", "ThinkStation", _LENOVO),
    Reference(
        "PK", "9773962c4271cad2125a5428fc03eabd440e4cdca3fbd0555034c8046a90b181", "Intel(R) Desktop Boards", _INTEL
    ),
    Reference(
        "db", "611c3564ad3520bc94950853678df4f89eed7eca484ec50365afc3771eaa3438", "CISD FW Update - Certificate", _INTEL
    ),
    Reference(
        "PK", "5fc05b208b7a0c0134bec048dad1a1edfa6d15187dfafb8e3ba8a97911ddcc20", "SUPERMICRO PK CA 2018", _SUPERMICRO
    ),
    Reference(
        "db",
        "0d6593be52f90c56b127f9d276e8db8d9f4e74dfde019af3fbc8dd3b56cbe20a",
        "SUPERMICRO Product CA 2018",
        _SUPERMICRO,
    ),
    Reference(
        "PK",
        "7f122fab825041c2b0c67696bb151db6f39fed7df2d1104107f5b892b354ef5c",
        "Red Hat Secure Boot (PK/KEK key 1)",
        _RED_HAT,
    ),
    Reference(
        "KEK",
        "7f122fab825041c2b0c67696bb151db6f39fed7df2d1104107f5b892b354ef5c",
        "Red Hat Secure Boot (PK/KEK key 1)",
        _RED_HAT,
    ),
    Reference(
        "KEK",
        "3cd3f0309edae228767a976dd40d9f4affc4fbd5218f2e8cc3c9dd97e8ac6f9d",
        "Microsoft Corporation KEK 2K CA 2023",
        _RED_HAT,
    ),
    Reference(
        "db", "076f1fea90ac29155ebf77c17682f75f1fdd1be196da302dc8461e350a9ae330", "Windows UEFI CA 2023", _RED_HAT
    ),
    Reference(
        "db", "f6124e34125bee3fe6d79a574eaa7b91c0e7bd9d929c1a321178efd611dad901", "Microsoft UEFI CA 2023", _RED_HAT
    ),
    Reference(
        "dbx",
        "3e35a78777afed8cf4bf414b06005a8d0827f9bffb2683f09a1bdbbab25a0272",
        "a release of 11936 octets",
        _AZURE_LINUX,
    ),
    Reference(
        "dbx",
        "41b662dca40a591cbd7bf3d43e45f49590f56d1909244b9925b7324bff1aa718",
        "a release of 4012 octets",
        _AZURE_WINDOWS,
    ),
    Reference(
        "dbx", "14bbeada46dcb45efb204f3dce6b80b346b87294c04690a1dd121c4136afaca9", "a release of 11936 octets", _GCE
    ),
    Reference(
        "dbx", "9d1ae9179583bea1df91a12c4ab83937f21569024eea92e3476cd1707790703a", "a release of 3724 octets", _GCE
    ),
    Reference(
        "dbx", "d0e6400fb15f4f9bc679de112b3f25b364789f3e5dfb326e37eb886e39bf2631", "a release of 4461 octets", _GCE_COS
    ),
    Reference(
        "dbx", "4462b10753c5ef3665116eb501cd91c5d8ff0fbc13e00db33a9815829a00d64b", "a release of 3828 octets", _HP
    ),
    Reference(
        "dbx", "d4051e1cf6524755545fb935dbae445822b5ff8beb3631e7951d9ceb8ec92e65", "a release of 728 octets", _HP
    ),
    Reference(
        "dbx", "c7c13e4691350cfc596958bbb97d2e171361e5ba6ee17544476c9972f4b62a44", "a release of 3800 octets", _PLAIN
    ),
    Reference(
        "dbx", "920e358e0fa61c06d5b713e3e3a709ba994a430c9395d48e2c44010125768784", "a release of 17836 octets", _RED_HAT
    ),
)

# The hashes that the dbx of both of Azure's machines forbids: whatever forbids them all forbids what those do alike.
LEAST_FORBIDDEN: Final = (
    "106faceacfecfd4e303b74f480a08098e2d0802b936f8ec774ce21f31686689c",
    "10d45fcba396aef3153ee8f6ecae58afe8476a280a2026fc71f6217dcf49ba2f",
    "174e3a0b5b43c6a607bbd3404f05341e3dcf396267ce94f8b50e2e23a9da920c",
    "1aec84b84b6c65a51220a9be7181965230210d62d6d33c48999c6b295a2b0a06",
    "29c6eb52b43c3aa18b2cd8ed6ea8607cef3cfae1bafe1165755cf2e614844a44",
    "2b99cf26422e92fe365fbf4bc30d27086c9ee14b7a6fff44fb2f6b9001699939",
    "2e70916786a6f773511fa7181fab0f1d70b557c6322ea923b2a8d3b92b51af7d",
    "32f5940ca29dd812a2c145e6fc89646628ffcc7c7a42cae512337d8d29c40bbd",
    "39dbc2288ef44b5f95332cb777e31103e840dba680634aa806f5c9b100061802",
    "3fce9b9fdf3ef09d5452b0f95ee481c2b7f06d743a737971558e70136ace3e73",
    "45c7c8ae750acfbb48fc37527d6412dd644daed8913ccd8a24c94d856967df8e",
    "47cc086127e2069a86e03a6bef2cd410f8c55a6d6bdb362168c31b2ce32a5adf",
    "5391c3a2fb112102a6aa1edc25ae77e19f5d6f09cd09eeb2509922bfcd5992ea",
    "58fb941aef95a25943b3fb5f2510a0df3fe44c58c95e0ab80487297568ab9771",
    "64575bd912789a2e14ad56f6341f52af6bf80cf94400785975e9f04e2d64d745",
    "71f2906fd222497e54a34662ab2497fcc81020770ff51368e9e3d9bfcbfd6375",
    "80b4d96931bf0d02fd91a61e19d14f1da452e66db2408ca8604d411f92659f0a",
    "81d8fb4c9e2e7a8225656b4b8273b7cba4b03ef2e9eb20e0a0291624eca1ba86",
    "82db3bceb4f60843ce9d97c3d187cd9b5941cd3de8100e586f2bda5637575f67",
    "8ad64859f195b5f58dafaa940b6a6167acd67a886e8f469364177221c55945b9",
    "8d8ea289cfe70a1c07ab7365cb28ee51edd33cf2506de888fbadd60ebf80481c",
    "90fbe70e69d633408d3e170c6832dbb2d209e0272527dfb63d49d29572a6f44c",
    "aeebae3151271273ed95aa2e671139ed31a98567303a332298f83709a9d55aa1",
    "b92af298dc08049b78c77492d6551b710cd72aada3d77be54609e43278ef6e4d",
    "c3a99a460da464a057c3586d83cef5f4ae08b7103979ed8932742df0ed530c66",
    "c409bdac4775add8db92aa22b5b718fb8c94a1462c1fe9a416b95d8a3388c2fc",
    "c5d9d8a186e2c82d09afaa2a6f7f2e73870d3e64f72c4e08ef67796a840f0fbd",
    "c617c1a8b1ee2a811c28b5a81b4c83d7c98b5b0c27281d610207ebe692c2967f",
    "c90f336617b8e7f983975413c997f10b73eb267fd8a10cb9e3bdbfc667abdb8b",
    "d063ec28f67eba53f1642dbf7dff33c6a32add869f6013fe162e2c32f1cbe56d",
    "d626157e1d6a718bc124ab8da27cbb65072ca03a7b6b257dbdcbbd60f65ef3d1",
    "e19dae83c02e6f281358d4ebd11d7723b4f5ea0e357907d5443decc5f93c1e9d",
    "f52f83a3fa9cfbd6920f722824dbe4034534d25b8507246b3b957dac6e1bce7a",
)
